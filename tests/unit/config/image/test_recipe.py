"""What an image comes to: steps, files, variables, and a digest that changes when anything of it does."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.config.image import index_url, recipe_of
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.image.local import left_out
from flyte_jupyter.config.image.recipe import Recipe
from flyte_jupyter.errors import ConfigValueError, ImageFileError

DEBIAN = Image.from_debian_base()
OTHER = (3, 9) if sys.version_info[:2] != (3, 9) else (3, 10)
PIP = ("pip", "install", "--python", "{python}")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(index_url, "known", {})
    for name in recipe_of.SETTINGS:
        monkeypatch.delenv(name, raising=False)


def write(path: str, text: str = "") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def recipe(image: Image) -> Recipe:
    made = recipe_of.recipe_of(image)
    assert made.digest == Recipe.from_json(json.loads(json.dumps(made.to_json()))).digest
    return made


def commands(image: Image) -> list[tuple[str, ...]]:
    venv = recipe(image).venv
    assert venv is not None
    return [step.command for step in venv.steps]


def build_files(image: Image) -> dict[str, str]:
    venv = recipe(image).venv
    assert venv is not None
    return {c.path: c.source.decode() if isinstance(c.source, bytes) else "" for c in venv.files}


def test_a_debian_base_is_an_environment_with_nothing_in_it() -> None:
    made = recipe(DEBIAN)
    assert made.venv is not None
    assert ((), "", sys.version) == (made.venv.steps, made.workdir or "", made.venv.version)
    assert ["cloudpickle"] == [need.partition("==")[0] for need in made.venv.needs]
    assert not made.is_empty


@pytest.mark.parametrize(
    "image", [Image.from_base("ubuntu:24.04"), Image.from_ref_name("x"), Image.from_dockerfile("Dockerfile", "r", "n")]
)
def test_what_cannot_be_had_here_is_the_environment_of_the_one_who_calls(image: Image) -> None:
    assert recipe(image).is_empty
    assert 1 == len(left_out(image))


@pytest.mark.parametrize(
    "base", ["python:{v}-slim", "python:3", "python", "docker.io/library/python:{v}", "r:5000/x/python:{v}.4"]
)
def test_base_images_of_python(base: str) -> None:
    image = Image.from_base(base.format(v=".".join(map(str, sys.version_info[:2]))))
    assert (recipe(image).venv is not None, left_out(image)) == (True, [])


@pytest.mark.parametrize(
    "image",
    [
        Image.from_debian_base(OTHER),
        Image.from_base(f"python:{OTHER[0]}.{OTHER[1]}-slim"),
        Image.from_base("x").clone(python_version=OTHER),
        Image.from_base(f"ghcr.io/flyteorg/flyte:py{OTHER[0]}.{OTHER[1]}-v2.0"),
    ],
)
def test_another_python_is_refused_by_name(image: Image) -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(ConfigValueError, match=f"Python: '{OTHER[0]}.{OTHER[1]}'.*\n.*{here}, which runs here"):
        recipe(image)


def test_packages_and_where_they_come_from() -> None:
    image = DEBIAN.with_pip_packages(
        "six>=1",
        "iniconfig",
        index_url="https://a/",
        extra_index_urls=["https://b/"],
        pre=True,
        extra_args="--no-deps -v",
    )
    options = ("--default-index", "https://a/", "--index", "https://b/", "--prerelease", "allow", "--no-deps", "-v")
    assert [(*PIP, *options, "six>=1", "iniconfig")] == commands(image)
    made = recipe(image).venv
    assert made is not None
    assert ["installing six, iniconfig"] == [step.what for step in made.steps]


def test_this_package_is_there_already() -> None:
    assert [] == commands(DEBIAN.with_pip_packages("flyte_jupyter", "flyte-jupyter[image]>=0.1"))
    assert [(*PIP, "flyte-jupyter-plugin")] == commands(DEBIAN.with_pip_packages("flyte-jupyter-plugin"))
    image = DEBIAN.with_requirements(write("r.txt", "six\nflyte_jupyter==0.1.0\n"))
    assert {"0/requirements.txt": "six\n# flyte_jupyter==0.1.0\n"} == build_files(image)


def test_steps_know_the_variables_before_them() -> None:
    made = recipe(DEBIAN.with_env_vars({"A": "1"}).with_pip_packages("six").with_env_vars({"A": "2", "B": "3"}))
    assert made.venv is not None
    assert [{"A": "1"}] == [step.env_vars for step in made.venv.steps]
    assert {"A": "2", "B": "3"} == made.env_vars


def test_a_uv_project() -> None:
    write("p/pyproject.toml", '[project]\nname = "demo"\n[tool.uv.sources]\nlib = { path = "../lib" }\n')
    write("p/uv.lock", "version = 1\n")
    write("p/code.py")
    write("lib/pyproject.toml", "[project]\n")
    image = DEBIAN.with_uv_project("p/pyproject.toml", extra_args="--no-dev")
    sync = ("sync", "--active", "--inexact", "--no-editable")
    assert [(*sync, "--no-install-project", "--python", "{python}", "--no-dev")] == commands(image)
    assert {"0/p/pyproject.toml", "0/p/uv.lock", "0/lib/pyproject.toml"} == set(build_files(image))
    whole = DEBIAN.with_uv_project("p/pyproject.toml", project_install_mode="install_project")
    assert [(*sync, "--python", "{python}")] == commands(whole)
    assert {"0/p/pyproject.toml", "0/p/uv.lock", "0/p/code.py", "0/lib/pyproject.toml"} == set(build_files(whole))


def test_a_uv_script() -> None:
    script = write("s.py", '# /// script\n# dependencies = ["six"]\n# ///\nprint(1)\n')
    image = Image.from_uv_script(script, name="n", index_url="https://a/")
    sync = ("sync", "--script", "s.py", "--active", "--inexact", "--python", "{python}")
    assert [(*sync, "--default-index", "https://a/")] == commands(image)
    before = recipe(image).digest
    write("s.py", script.read_text() + "print(2)\n")
    assert before == recipe(image).digest
    write("s.py", '# /// script\n# dependencies = ["six<2"]\n# ///\n')
    assert before != recipe(image).digest


@pytest.mark.parametrize(
    ("extra_args", "options"),
    [
        (None, ["--with=dev", "--with=tests"]),
        ("--only main --no-root", ["--only=main"]),
        ("--without=tests -n", ["--with=dev"]),
        ("--with docs,more", ["--with=dev", "--with=docs", "--with=more", "--with=tests"]),
        ("-E 'a b' --all-extras", ["--extras=a", "--extras=b", "--all-extras", "--with=dev", "--with=tests"]),
    ],
)
def test_groups_of_a_poetry_project(extra_args: str | None, options: list[str]) -> None:
    text = '[tool.poetry]\nname = "demo"\n[tool.poetry.dev-dependencies]\n[tool.poetry.group.tests]\n'
    write("pyproject.toml", f"{text}[tool.poetry.group.docs]\noptional = true\n")
    write("poetry.lock")
    export, install = commands(DEBIAN.with_poetry_project("pyproject.toml", extra_args=extra_args))
    assert options == list(export[export.index("requirements.txt") + 1 :])
    assert (*PIP, "--requirement", "requirements.txt") == install


def test_a_whole_poetry_project() -> None:
    write("pyproject.toml")
    write("poetry.lock")
    write("demo/__init__.py")
    image = DEBIAN.with_poetry_project("pyproject.toml", project_install_mode="install_project")
    assert (*PIP, "--no-deps", ".") == commands(image)[-1]
    assert {"0/pyproject.toml", "0/poetry.lock", "0/demo/__init__.py"} == set(build_files(image))


def paths(image: Image) -> tuple[str | None, set[str]]:
    made = recipe(image)
    return made.workdir, {content.path for content in made.files}


@pytest.mark.parametrize(
    ("lay", "workdir", "files"),
    [
        (lambda i: i.with_workdir("/app"), "app", set()),
        (lambda i: i.with_workdir("/app").with_workdir("sub/.."), "app", set()),
        (lambda i: i.with_source_file("a.txt"), "", {"a.txt"}),
        (lambda i: i.with_workdir("/app").with_source_file("a.txt"), "app", {"app/a.txt"}),
        (lambda i: i.with_source_file("a.txt").with_workdir("/app"), "app", {"a.txt"}),
        (lambda i: i.with_source_file("a.txt", "conf/"), "", {"conf/a.txt"}),
        (lambda i: i.with_source_file("a.txt", "b.txt"), "", {"b.txt"}),
        (lambda i: i.with_source_file("a.txt", "/tmp"), "", {"tmp/a.txt"}),
        (lambda i: i.with_workdir("/app").with_source_file("a.txt", "/app"), "app", {"app/a.txt"}),
        (lambda i: i.with_source_file("a.txt", "x/").with_source_file("f/b.txt", "x"), "", {"x/a.txt", "x/b.txt"}),
        (lambda i: i.with_source_file(["a.txt", "f/b.txt"], "x"), "", {"x/a.txt", "x/b.txt"}),
        (lambda i: i.with_source_file("a.txt", "../../../etc/"), "", {"etc/a.txt"}),
        (lambda i: i.with_source_folder("f"), "", {"f/b.txt", "f/g/c.txt"}),
        (lambda i: i.with_source_folder("f", copy_contents_only=True), "", {"b.txt", "g/c.txt"}),
        (lambda i: i.with_source_folder("f", "x"), "", {"x/b.txt", "x/g/c.txt"}),
        (lambda i: i.with_source_folder("f").with_dockerignore("ignore"), "", {"f/b.txt"}),
    ],
)
def test_where_files_go(lay: Callable[[Any], Image], workdir: str, files: set[str]) -> None:
    """As Docker would have it, with the working directory as its root."""
    write("a.txt")
    write("f/b.txt")
    write("f/g/c.txt")
    write("f/.git/HEAD")
    write("f/g/.env", "KEY=secret")
    write("ignore", "g\n")
    assert (workdir, files) == paths(lay(DEBIAN))


def test_a_file_of_secrets_is_copied_when_that_is_said() -> None:
    write("f/.env", "KEY=secret")
    write("f/.dockerignore", "!.env\n")
    assert ("", {"f/.env", "f/.dockerignore"}) == paths(DEBIAN.with_source_folder("f"))


def test_a_code_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_of, "loaded", lambda _: [write("lib/__init__.py").absolute()])
    write("data.csv")
    write(".env", "secret")
    write("lib/.env", "secret")
    write(".venv/lib/x.py")
    assert ("app", {"app/lib/__init__.py"}) == paths(DEBIAN.with_workdir("/app").with_code_bundle())
    assert ("", {"code/lib/__init__.py", "code/data.csv"}) == paths(DEBIAN.with_code_bundle("all", "code"))


@pytest.mark.parametrize(
    "lay",
    [
        lambda i: i.with_requirements("none.txt"),
        lambda i: i.with_uv_project("none.toml"),
        lambda i: i.with_uv_project("p/pyproject.toml", uvlock=Path("none.lock")),
        lambda i: i.with_poetry_project("p/pyproject.toml"),
        lambda i: i.with_source_file("none.txt"),
        lambda i: i.with_source_folder("none"),
        lambda i: i.with_source_folder("p/pyproject.toml"),
        lambda i: Image.from_uv_script("none.py", name="n"),
    ],
)
def test_what_is_missing_is_refused(lay: Callable[[Any], Image]) -> None:
    write("p/pyproject.toml")
    with pytest.raises(ImageFileError, match="looked for"):
        recipe(lay(DEBIAN))


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(FileNotFoundError, match=r"(?s)^2 problems\n.*none\.txt.*nothing"):
        recipe(DEBIAN.with_requirements("none.txt").with_source_folder("nothing"))


@pytest.mark.parametrize("kind", ["script", "uv", "poetry"])
def test_files_for_another_python_are_refused(kind: str) -> None:
    write("s.py", '# /// script\n# requires-python = ">=4"\n# dependencies = []\n# ///\n')
    write("pyproject.toml", '[project]\nname = "demo"\nrequires-python = ">=4"\n')
    images = {
        "script": Image.from_uv_script("s.py", name="n"),
        "uv": DEBIAN.with_uv_project("pyproject.toml"),
        "poetry": DEBIAN.with_poetry_project("pyproject.toml"),
    }
    with pytest.raises(ConfigValueError, match="requires-python = '>=4'"):
        recipe(images[kind])


def test_the_digest_is_of_the_content() -> None:
    write("r.txt", "six")
    image = DEBIAN.with_requirements("r.txt").with_source_file("r.txt")
    first = recipe(image)
    assert first.digest == recipe(DEBIAN.with_requirements("r.txt").with_source_file("r.txt")).digest
    write("r.txt", "six<2")
    second = recipe(image)
    assert first.venv is not None
    assert second.venv is not None
    assert (first.digest != second.digest, first.venv.key != second.venv.key) == (True, True)


def test_files_and_variables_share_one_environment() -> None:
    write("a.txt", "1")
    base = DEBIAN.with_pip_packages("six")
    made = [recipe(image).venv for image in (base, base.with_source_file("a.txt"), base.with_env_vars({"A": "1"}))]
    assert 1 == len({venv.key for venv in made if venv is not None})


def test_settings_of_uv_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe(DEBIAN).digest
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me:hunter2@host/simple")
    assert before != recipe(DEBIAN).digest
    assert "hunter2" not in json.dumps(recipe(DEBIAN).to_json())


def test_no_credentials_in_a_recipe() -> None:
    write("r.txt", "--index-url https://me:hunter2@host/\nsix\n")
    image = (
        DEBIAN.with_requirements("r.txt")
        .with_pip_packages("x @ https://me:hunter2@h/x.whl", index_url="https://me:hunter2@i/")
        .with_pip_packages("six", extra_index_urls="https://me:hunter2@j/", extra_args="-f https://me:hunter2@k/")
    )
    made = recipe(image)
    stored = json.dumps(made.to_json()) + "".join(str(content.source) for content in made.contents.values())
    assert "hunter2" not in stored + repr(image) + json.dumps(image.to_json())
    assert {"me:hunter2"} == set(index_url.known.values())


def test_it_is_computed_once() -> None:
    write("r.txt", "six")
    os.utime("r.txt", (time.time() - 60,) * 2)
    image = DEBIAN.with_requirements("r.txt")
    assert recipe_of.recipe_of(image) is recipe_of.recipe_of(image)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (DEBIAN.with_apt_packages("git", "curl"), ["git, curl"]),
        (DEBIAN.with_commands(["make"]), ["`make`"]),
        (DEBIAN.with_commands(["make", "run"]), ["2 commands"]),
        (DEBIAN.with_pixi_project("pixi.toml"), ["pixi.toml"]),
        (Image.from_pixi_script("s.py", name="n"), ["s.py"]),
        (DEBIAN.with_poetry_project("p.toml", extra_args="--sync-all"), ["--sync-all"]),
        (DEBIAN.with_workdir("/app").with_source_folder("x", "/data"), ["/data"]),
        (DEBIAN.with_workdir("/app").with_source_folder("x", "/app/data"), []),
        (Image.from_base("ubuntu"), ["'ubuntu'"]),
        (Image.from_debian_base(flyte_version="2.0"), ["'2.0'"]),
        (DEBIAN.with_pip_packages("six").with_env_vars({"A": "1"}), []),
    ],
)
def test_what_is_left_out_is_said(image: Image, words: list[str]) -> None:
    said = left_out(image)
    assert len(words) == len(said)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))
