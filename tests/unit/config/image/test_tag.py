"""Tags of images: the same for the same, another one for what changes the result; and what `validate` finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.image.layers import UVScript
from flyte_jupyter.errors import ConfigError, ImageBuildError, ImageFileError

BASE = Image.from_base("python:3.11").clone(name="n", extendable=True)
HEADER = "# /// script\n# dependencies = ['polars']\n# ///\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("r.txt", "polars==1.0\n-r more/r.txt\n")
    write("more/r.txt", "duckdb\n")
    write("pyproject.toml", "[project]\nname = 'x'\n")
    write("pixi.toml", "[workspace]\n")
    write("script.py", f"{HEADER}print(1)\n")
    write("src/a.py", "A = 1\n")
    write("src/sub/b.py", "B = 1\n")
    write("Dockerfile", "FROM python:3.11\n")


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tag(image: Image) -> str:
    return image.uri.rpartition(":")[2]


# --- names


def test_an_image_that_is_not_built_is_its_base() -> None:
    assert Image.from_base("ghcr.io/a/b@sha256:0").uri == "ghcr.io/a/b@sha256:0"
    assert Image.from_base("a").clone().uri == "a"


def test_one_that_is_built_has_a_registry_a_name_and_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYTE_IMAGE_REGISTRY", raising=False)
    image = Image.from_debian_base(registry="ghcr.io/me/", name="my-image").with_pip_packages("a")
    assert image.uri == f"ghcr.io/me/my-image:{tag(image)}"
    assert (len(tag(image)), tag(image).isalnum()) == (32, True)
    assert Image.from_debian_base().uri.startswith("flyte:")
    monkeypatch.setenv("FLYTE_IMAGE_REGISTRY", "localhost:5000")
    assert Image.from_debian_base().uri.startswith("localhost:5000/flyte:")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (Image.from_ref_name("gpu"), "the platform's configuration knows it as 'gpu'"),
        (Image.from_base("a").clone(registry="r"), r"give it a name: clone\(name=...\)"),
    ],
)
def test_one_without_a_name_of_its_own_has_no_uri(image: Image, words: str) -> None:
    with pytest.raises(ImageBuildError, match=words) as caught:
        _ = image.uri
    assert (caught.value.code, caught.value.kind) == ("ImageBuildError", "user")


# --- what counts

DIFFERENT: list[Callable[[], Image]] = [
    lambda: BASE,
    lambda: BASE.clone(platform="linux/arm64"),
    lambda: BASE.clone(python_version=(3, 1)),
    lambda: BASE.clone(base_image="python:3.12"),
    lambda: Image.from_debian_base((3, 12)),
    lambda: Image.from_debian_base((3, 12), install_flyte=False),
    lambda: Image.from_debian_base((3, 12), flyte_version="1"),
    lambda: BASE.with_pip_packages("ab"),
    lambda: BASE.with_pip_packages("a", "b"),
    lambda: BASE.with_pip_packages("b", "a"),
    lambda: BASE.with_pip_packages("a").with_pip_packages("b"),
    lambda: BASE.with_apt_packages("ab"),
    lambda: BASE.with_pip_packages("ab", pre=True),
    lambda: BASE.with_pip_packages("ab", index_url="u"),
    lambda: BASE.with_pip_packages("ab", extra_index_urls="u"),
    lambda: BASE.with_pip_packages("ab", extra_args="u"),
    lambda: BASE.with_pip_packages("ab", secret_mounts="u"),
    lambda: BASE.with_commands("ab"),
    lambda: BASE.with_commands(["a", "b"]),
    lambda: BASE.with_env_vars({"A": "1"}),
    lambda: BASE.with_env_vars({"A1": ""}),
    lambda: BASE.with_workdir("a"),
    lambda: BASE.with_workdir("a").with_pip_packages("ab"),
    lambda: BASE.with_pip_packages("ab").with_workdir("a"),
    lambda: BASE.with_requirements("r.txt"),
    lambda: BASE.with_requirements("more/r.txt"),
    lambda: BASE.with_uv_project("pyproject.toml"),
    lambda: BASE.with_uv_project("pyproject.toml", project_install_mode="install_project"),
    lambda: BASE.with_pixi_project("pixi.toml"),
    lambda: BASE.with_pixi_project("pixi.toml", environment="gpu"),
    lambda: Image.from_uv_script("script.py", name="n", python_version=(3, 12)),
    lambda: Image.from_pixi_script("script.py", name="n"),
    lambda: BASE.with_source_folder("src"),
    lambda: BASE.with_source_folder("src", "app"),
    lambda: BASE.with_source_folder("src", copy_contents_only=True),
    lambda: BASE.with_source_folder("src/sub"),
    lambda: BASE.with_source_file("src/a.py"),
    lambda: BASE.with_source_file(["src/a.py", "src/sub/b.py"]),
    BASE.with_code_bundle,
    lambda: BASE.with_code_bundle("all"),
    lambda: Image.from_dockerfile("Dockerfile", "r", "n"),
    lambda: Image.from_dockerfile("Dockerfile", "r", "n", "linux/arm64"),
]


def test_everything_that_changes_the_result_changes_the_tag() -> None:
    tags = [tag(make()) for make in DIFFERENT]
    assert sorted(set(tags)) == sorted(tags)
    assert tags == [tag(make()) for make in DIFFERENT]


@pytest.mark.parametrize(
    ("image", "file", "text"),
    [
        (lambda: BASE.with_requirements("r.txt"), "r.txt", "polars==1.1\n"),
        (lambda: BASE.with_requirements("r.txt"), "more/r.txt", "duckdb==1\n"),
        (lambda: BASE.with_uv_project("pyproject.toml"), "pyproject.toml", "[project]\nname = 'y'\n"),
        (lambda: BASE.with_uv_project("pyproject.toml"), "uv.lock", "version = 1\n"),
        (lambda: Image.from_uv_script("script.py", name="n"), "script.py", HEADER.replace("polars", "duckdb")),
        (lambda: Image.from_uv_script("script.py", name="n"), "script.py.lock", "version = 1\n"),
        (lambda: Image.from_pixi_script("script.py", name="n"), "script.py.pixi.lock", "version: 6\n"),
        (lambda: BASE.with_source_folder("src"), "src/sub/b.py", "B = 2\n"),
        (lambda: BASE.with_source_folder("src"), "src/sub/c.py", ""),
        (lambda: BASE.with_source_file("src/a.py"), "src/a.py", "A = 2\n"),
        (lambda: BASE.with_code_bundle("all"), "src/a.py", "A = 2\n"),
        (lambda: Image.from_dockerfile("Dockerfile", "r", "n"), "Dockerfile", "FROM python:3.12\n"),
    ],
)
def test_files_count_as_they_are_now(image: Any, file: str, text: str) -> None:
    made = image()
    before = tag(made)
    write(file, text)
    assert before != tag(made)
    assert tag(made) == tag(image())


def test_what_uv_needs_beside_a_project_counts() -> None:
    write("pyproject.toml", "[project]\nname = 'x'\n[tool.uv.sources]\ny = { path = 'y' }\n")
    write("y/pyproject.toml", "[project]\nname = 'y'\n")
    image = BASE.with_uv_project("pyproject.toml")
    before = tag(image)
    write("y/y.py", "")
    assert before != tag(image)


def test_so_does_what_a_dockerfile_copies() -> None:
    write("Dockerfile", "FROM python:3.11\nCOPY --from=uv /uv /bin\n")
    image = Image.from_dockerfile("Dockerfile", "r", "n")
    before = tag(image)
    write("src/a.py", "A = 3\n")
    assert before == tag(image)
    write("Dockerfile", "FROM python:3.11\ncopy src .\n")
    before = tag(image)
    write("src/a.py", "A = 4\n")
    assert before != tag(image)


def test_modules_that_are_loaded_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = BASE.with_code_bundle()
    before = tag(image)
    module = ModuleType("helper_of_mine")
    module.__file__ = str(tmp_path / "src" / "a.py")
    monkeypatch.setitem(sys.modules, "helper_of_mine", module)
    assert before != tag(image)


# --- what does not count


def test_where_a_file_is_does_not_count() -> None:
    write("other/Dockerfile", "FROM python:3.11\n")
    assert tag(Image.from_dockerfile("Dockerfile", "r", "n")) == tag(
        Image.from_dockerfile("other/Dockerfile", "r", "n")
    )
    write("other/r.txt", Path("more/r.txt").read_text())
    assert tag(BASE.with_requirements("other/r.txt")) == tag(BASE.with_requirements(Path("more/r.txt").absolute()))


def test_name_and_registry_do_not_count() -> None:
    assert tag(BASE) == tag(BASE.clone(name="other", registry="r"))


def test_the_code_of_a_script_does_not_count() -> None:
    image = Image.from_uv_script("script.py", name="n")
    before = tag(image)
    write("script.py", f"{HEADER}print(2)\n")
    assert before == tag(image)


def test_what_a_dockerignore_leaves_out_does_not_count() -> None:
    write(".dockerignore", "**/*.log\n")
    images = [BASE.with_source_folder("src"), BASE.with_source_folder("src").with_dockerignore(".dockerignore")]
    before = [tag(image) for image in images]
    write("src/a.log", "1")
    write("src/__pycache__/a.pyc", "1")
    assert before == [tag(image) for image in images]


def test_credentials_of_an_index_do_not_count() -> None:
    urls = ("https://me:one@host/simple", "https://me:two@host/simple", "https://me:two@other/simple")
    one, two, other = (tag(BASE.with_pip_packages("a", index_url=url)) for url in urls)
    assert (one == two, two == other) == (True, False)


# --- validate


def test_what_is_there_is_valid() -> None:
    write("poetry/pyproject.toml", "[tool.poetry]\n")
    write("poetry/poetry.lock", "")
    write("pixi/pyproject.toml", "[tool.pixi]\n")
    for make in DIFFERENT:
        make().validate()
    BASE.with_poetry_project("poetry/pyproject.toml").with_pixi_project("pixi").validate()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (lambda: BASE.with_requirements("no.txt"), "Image.with_requirements: 'no.txt'"),
        (lambda: BASE.with_uv_project("no.toml"), "Image.with_uv_project: 'no.toml'"),
        (lambda: BASE.with_uv_project("src"), "Image.with_uv_project: 'src'"),
        (lambda: BASE.with_uv_project("pyproject.toml", "no.lock"), "no.lock"),
        (lambda: BASE.with_poetry_project("pyproject.toml"), "poetry.lock"),
        (lambda: BASE.with_pixi_project("r.txt"), "pixi.toml or pyproject.toml"),
        (lambda: Image.from_uv_script("no.py", name="n"), "Image.from_uv_script: 'no.py'"),
        (lambda: Image.from_uv_script("src/a.py", name="n"), "# /// script"),
        (lambda: Image.from_uv_script("r.txt", name="n"), "r.txt"),
        (lambda: BASE.with_source_folder("no"), "Image.with_source_folder: 'no'"),
        (lambda: BASE.with_source_folder("r.txt"), "an existing folder"),
        (lambda: BASE.with_source_file("no.py"), "Image.with_source_file: 'no.py'"),
        (lambda: BASE.with_source_file("src"), "Image.with_source_file: 'src'"),
        (lambda: BASE.with_dockerignore("no"), "Image.with_dockerignore: 'no'"),
        (lambda: Image.from_dockerfile("no", "r", "n"), "Image.from_dockerfile: 'no'"),
    ],
)
def test_what_is_not_there_is_named_in_an_error_of_every_class_that_flyte_raises(image: Any, words: str) -> None:
    for look in (image().validate, lambda: image().uri):
        with pytest.raises(ImageFileError) as caught:
            look()
        assert words in str(caught.value)
        for family in (FileNotFoundError, ValueError, ImageBuildError, ConfigError):
            assert isinstance(caught.value, family)


def test_all_that_is_missing_is_in_one_error() -> None:
    image = BASE.with_requirements("no.txt").with_pip_packages("a").with_uv_project("no.toml").with_source_file("no.py")
    with pytest.raises(ImageFileError, match=r"^3 problems\n") as caught:
        image.validate()
    assert ["no.txt", "no.toml", "no.py"] == [text.partition("'")[2].partition("'")[0] for text in caught.value.each]


def test_a_layer_that_was_cloned_in_counts_too() -> None:
    image = BASE.with_pip_packages("a").clone(addl_layer=UVScript(script=Path("script.py")))
    assert tag(image) not in (tag(BASE), tag(BASE.with_pip_packages("a")))
    assert ".with_pip_packages('a').clone(addl_layer=UVScript(" in repr(image)
