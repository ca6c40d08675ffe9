"""Dockerfiles, line by line; `tests/kubernetes/test_images.py` builds them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flyte_jupyter.config.image import index_url
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.container import dockerfile, package
from flyte_jupyter.container.dockerfile import OURS, Plan, plan_of
from flyte_jupyter.errors import ConfigError, ConfigValueError, ImageFileError

BASE = Image.from_debian_base(name="test")
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(index_url, "known", {})


def plan(image: Image, **more: str) -> Plan:
    return plan_of(image, settings=more, credentials=index_url.known, platform="linux/amd64")


def lines(image: Image) -> list[str]:
    """What comes after what all images have, and before this package, without mounts."""
    said = [line.text for line in plan(image).instructions]
    common = next(number for number, line in enumerate(said) if "uv pip install cloudpickle" in line)
    words = [[word for word in line.split(" ") if not word.startswith("--mount=")] for line in said[common + 1 : -2]]
    return [" ".join(line).replace(f"{dockerfile.WITH_INDEX} ", "") for line in words]


def text_of(made: Plan, end: str) -> str:
    found = next(content for content in made.files if content.path.endswith(end))
    return found.source.decode() if isinstance(found.source, bytes) else Path(str(found.source)).read_text()


def test_what_every_image_has() -> None:
    said = [line.text for line in plan(BASE).instructions]
    assert f"FROM python:{HERE}-slim-bookworm AS " in said[0]
    assert f"FROM python:{HERE}-slim-bookworm" in said
    assert "USER 1000:1000" == said[-1]
    assert [] == lines(BASE)
    (wheel,) = (content.path for content in plan(BASE).files if content.path.endswith(".whl"))
    assert wheel.startswith(f"{OURS}/wheel-")


def test_layers_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    image = (
        BASE.with_apt_packages("git", "jq")
        .with_pip_packages("numpy>=1.26", "pandas", pre=True)
        .with_env_vars({"MODE": "train"})
        .with_workdir("/srv/app")
        .with_source_file("one.txt", "data/")
        .with_commands(["echo 'a b' > c"])
    )
    apt = "apt-get update && apt-get install -y --no-install-recommends git jq && rm -rf /var/lib/apt/lists/*"
    assert [
        f"RUN sh -c '{apt}'",
        "RUN uv pip install --prerelease allow 'numpy>=1.26' pandas",
        'ENV MODE="train"',
        "WORKDIR /srv/app",
        f'COPY ["{OURS}/copied/4/srv/app/data/", "/srv/app/data/"]',
        "RUN sh -c 'echo '\"'\"'a b'\"'\"' > c'",
    ] == lines(image)


def test_steps_are_told_in_words() -> None:
    image = BASE.with_pip_packages("numpy").with_commands("make all").with_apt_packages("git")
    assert [
        "installing what tasks need",
        "installing numpy",
        "running `make all`",
        "installing the system packages git",
        "installing flyte_jupyter",
    ] == [line.what for line in plan(image).instructions if line.what][3:]


def test_files_of_steps_are_mounted_and_not_copied(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more.txt\nflyte_jupyter\n")
    (tmp_path / "more.txt").write_text("six\n")
    made = plan(BASE.with_requirements("requirements.txt"))
    assert "-r requirements-1.txt\n# flyte_jupyter\n" == text_of(made, "/requirements.txt")
    assert ["RUN cd /run/flyte/steps/0 && uv pip install --requirement requirements.txt"] == lines(
        BASE.with_requirements("requirements.txt")
    )
    assert not [line for line in made.instructions if line.text.startswith("COPY") and "steps" in line.text]


def test_what_a_step_reads_is_in_its_line(tmp_path: Path) -> None:
    """buildah takes a step from its cache when its line is the same."""
    file = tmp_path / "requirements.txt"
    file.write_text("six==1.16.0\n")
    before = plan(BASE.with_requirements(file)).dockerfile
    file.write_text("six==1.17.0\n")
    assert before != plan(BASE.with_requirements(file)).dockerfile
    assert plan(BASE).dockerfile != plan(BASE, UV_EXCLUDE_NEWER="2026-01-01").dockerfile


def test_a_project_with_a_wheel_beside_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "lib.whl").write_bytes(b"wheel")
    (tmp_path / "app/pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\n[tool.uv.sources]\nlib = { path = "../lib.whl" }\n'
    )
    image = BASE.with_uv_project("app/pyproject.toml")
    expected = "RUN cd /run/flyte/steps/0/app && uv sync --active --inexact --no-editable --no-install-project"
    assert [expected] == lines(image)
    assert "wheel" == text_of(plan(image), "/lib.whl")


def test_poetry_reads_its_lock_and_installs_in_one_step(tmp_path: Path) -> None:
    """What is written into a mounted folder is gone when the step is over."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    (tmp_path / "poetry.lock").write_text("")
    (line,) = lines(BASE.with_poetry_project("pyproject.toml"))
    assert "poetry export --output requirements.txt" in line
    assert line.endswith("&& cd /run/flyte/steps/0 && uv pip install --requirement requirements.txt")


def test_commands_of_several_lines_are_a_file() -> None:
    image = BASE.with_commands("set -e\necho $HOME")
    assert "set -e\necho $HOME\n" == text_of(plan(image), "command.sh")
    assert ["RUN sh /run/flyte/commands/0-0/command.sh"] == lines(image)


def test_values_of_variables_mean_what_they_say() -> None:
    assert ['ENV A="a \\"b\\" \\$HOME \\\\"'] == lines(BASE.with_env_vars({"A": 'a "b" $HOME \\'}))
    with pytest.raises(ConfigValueError, match="one line"):
        plan(BASE.with_env_vars({"A": "a\nUSER 0"}))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_copied_files_can_be_read_by_tasks(tmp_path: Path, mode: int) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(mode)
    (found,) = (each for each in plan(BASE.with_source_file("file", "/srv/")).files if "/copied/" in each.path)
    assert (f"{OURS}/copied/0/srv/file", 0o755 if mode & 0o100 else 0o644) == (found.path, found.mode)


# --- secrets


def test_credentials_of_indexes_are_in_no_line(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url https://me:hunter2@host/simple\nsix\n")
    url = "https://me:hunter2@host/simple"
    image = (
        BASE.with_pip_packages("six", index_url=url, extra_index_urls=url)
        .with_pip_packages(f"x @ {url}/x.whl")
        .with_requirements("requirements.txt")
    )
    made = plan(image)
    assert "hunter2" not in made.dockerfile
    assert not [each.path for each in made.files if isinstance(each.source, bytes) and b"hunter2" in each.source]
    assert "export UV_DEFAULT_INDEX='https://***@host/simple'\n" in text_of(made, "variables.sh")
    assert f"x @ {url.replace('me:hunter2', '***')}/x.whl\n" == text_of(made, "packages.txt")


def test_secrets_are_mounted_for_their_step_alone() -> None:
    image = BASE.with_commands("one", secret_mounts="token").with_commands("two")
    made = plan(image)
    assert ["TOKEN"] == [secret.build_variable for secret in made.secrets]
    with_it = [line.what for line in made.instructions if "TOKEN" in line.text]
    assert ["running `one`"] == with_it


# --- its tag


def test_the_same_image_has_the_same_tag_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        Path("data.txt").write_text("same")
        found.add(plan(BASE.with_source_file("data.txt", "/srv/")).digest)
    assert 1 == len(found)


def test_what_makes_another_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "data.txt"
    file.write_text("one")
    image = BASE.with_source_file("data.txt", "/srv/")
    tags = [plan(image).digest, plan(image, UV_RESOLUTION="lowest").digest]
    tags.append(plan_of(image, settings={}, credentials={}, platform="linux/arm64").digest)
    file.write_text("two")
    tags.append(plan(image).digest)
    file.chmod(0o755)
    tags.append(plan(image).digest)
    tags.append(plan(image.clone(base_image=f"mirror/python:{HERE}")).digest)
    monkeypatch.setattr(package, "wheel", lambda: ("flyte_jupyter-0-py3-none-any.whl", b"other code"))
    tags.append(plan(image).digest)
    assert len(tags) == len(set(tags))


# --- a Dockerfile


def of_dockerfile(text: str, tmp_path: Path) -> Plan:
    (tmp_path / "Dockerfile").write_text(text)
    return plan(Image.from_dockerfile("Dockerfile", registry="host/me", name="own"))


@pytest.mark.parametrize(
    ("text", "last", "stage", "user"),
    [
        ("FROM debian\nRUN true\n", "FROM debian AS flyte-jupyter-base", "flyte-jupyter-base", "1000:1000"),
        ("from a as B\nUSER me\nFROM c\nUSER app", "FROM c AS flyte-jupyter-base", "flyte-jupyter-base", "app"),
        ("FROM a AS b\nUSER x\nFROM --platform=linux/amd64 c AS two\n", "c AS two", "two", "1000:1000"),
    ],
)
def test_a_dockerfile_goes_on(tmp_path: Path, text: str, last: str, stage: str, user: str) -> None:
    said = [line.text for line in of_dockerfile(text, tmp_path).instructions]
    assert last in said[0]
    assert [f"FROM {stage} AS", f"FROM {stage}", f"USER {user}"] == [
        *(line[: line.index(" AS ") + 3] for line in said if line.startswith(f"FROM {stage} AS ")),
        *(line for line in said if line == f"FROM {stage}"),
        said[-1],
    ]


def test_a_dockerfile_finds_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print(1)")
    (tmp_path / "junk").write_text("x")
    (tmp_path / ".dockerignore").write_text("junk\n")
    paths = [content.path for content in of_dockerfile("FROM x\nCOPY . /srv\n", tmp_path).files]
    assert ["Dockerfile", "app.py"] == [path for path in paths if not path.startswith(OURS)]
    paths = [content.path for content in of_dockerfile("FROM x\nCOPY --from=y /a /b\n", tmp_path).files]
    assert [] == [path for path in paths if not path.startswith(OURS)]


# --- what cannot be


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (Image.from_debian_base(python_version=(2, 7)), "functions travel as pickles"),
        (Image.from_debian_base(platform="linux/arm64"), "linux/amd64, which the cluster has"),
        (BASE.with_pixi_project("pixi.toml"), "Image.from_dockerfile"),
        (BASE.with_requirements("gone.txt"), "gone.txt"),
    ],
)
def test_what_cannot_be_built_is_refused(image: Image, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        plan(image)


def test_all_that_is_missing_is_one_error() -> None:
    with pytest.raises(ImageFileError) as caught:
        plan(BASE.with_requirements("a.txt").with_source_folder("b"))
    assert "a.txt" in str(caught.value)
    assert "b" in str(caught.value)


def test_a_dockerfile_without_a_base(tmp_path: Path) -> None:
    with pytest.raises(ConfigValueError, match="a line FROM"):
        of_dockerfile("RUN true\n", tmp_path)
