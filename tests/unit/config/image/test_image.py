"""Images: records of constructors and layers."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.config.image import layers
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.values.secret import Secret

DEBIAN = Image.from_debian_base()


def test_constructors() -> None:
    python = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim-bookworm"
    assert (DEBIAN.base_image, DEBIAN.name, DEBIAN.extendable) == (python, "flyte", True)
    assert Image.from_debian_base((3, 12)).base_image == "python:3.12-slim-bookworm"
    assert (Image.from_base("x:1").base_image, Image.from_base("x:1").extendable) == ("x:1", False)
    assert Image.from_ref_name("gpu").ref_name == "gpu"
    assert Image.from_dockerfile("Dockerfile", "registry", "name").dockerfile == Path("Dockerfile")
    assert Image.from_uv_script("a.py", name="n").layers == (layers.UVScript(script=Path("a.py")),)
    assert Image.from_pixi_script("a.py", name="n").layers == (layers.PixiScript(script=Path("a.py")),)


@pytest.mark.parametrize(
    ("image", "layer"),
    [
        (DEBIAN.with_pip_packages("a", "b", index_url="u"), layers.PipPackages(packages=("a", "b"), index_url="u")),
        (DEBIAN.with_requirements("r.txt", pre=True), layers.Requirements(file=Path("r.txt"), pre=True)),
        (DEBIAN.with_uv_project("p.toml"), layers.UVProject(pyproject=Path("p.toml"))),
        (DEBIAN.with_poetry_project("p.toml"), layers.PoetryProject(pyproject=Path("p.toml"))),
        (DEBIAN.with_pixi_project("pixi.toml"), layers.PixiProject(manifest=Path("pixi.toml"))),
        (
            DEBIAN.with_apt_packages("git", secret_mounts="token"),
            layers.AptPackages(packages=("git",), secret_mounts=(Secret("token"),)),
        ),
        (DEBIAN.with_commands(["a", "b"]), layers.Commands(commands=("a", "b"))),
        (DEBIAN.with_commands("a b"), layers.Commands(commands=("a b",))),
        (DEBIAN.with_env_vars({"A": "1"}), layers.EnvVars(env_vars=(("A", "1"),))),
        (DEBIAN.with_workdir("/app"), layers.WorkDir(path="/app")),
        (DEBIAN.with_source_folder("src", "/app"), layers.SourceFolder(src=Path("src"), dst="/app")),
        (DEBIAN.with_source_file(["a.py", Path("b.py")]), layers.SourceFiles(src=(Path("a.py"), Path("b.py")))),
        (DEBIAN.with_code_bundle(), layers.CodeBundle()),
        (DEBIAN.with_dockerignore(".dockerignore"), layers.DockerIgnore(path=Path(".dockerignore"))),
    ],
)
def test_a_layer_makes_a_new_image(image: Image, layer: layers.Layer) -> None:
    assert (image.layers, DEBIAN.layers) == ((layer,), ())


def test_layers_keep_their_order() -> None:
    one = DEBIAN.with_pip_packages("a").with_apt_packages("b")
    other = DEBIAN.with_apt_packages("b").with_pip_packages("a")
    assert one == DEBIAN.with_pip_packages("a").with_apt_packages("b")
    assert one != other


def test_package_names_are_not_run_together() -> None:
    assert DEBIAN.with_pip_packages("ab") != DEBIAN.with_pip_packages("a", "b")


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (TypeError, "from_base", Image),
        (ValueError, "extendable", lambda: Image.from_base("x").with_pip_packages("a")),
        (ValueError, "extendable", lambda: DEBIAN.clone(extendable=False).with_workdir("a")),
        (ValueError, "name", lambda: Image.from_base("x").clone(extendable=True).with_workdir("a")),
        (TypeError, r"one by one: with_pip_packages\(\*", lambda: DEBIAN.with_pip_packages(["a"])),  # type: ignore[arg-type]
        (ValueError, "text that is not empty", lambda: DEBIAN.with_pip_packages("a", " ")),
        (TypeError, "one by one", lambda: DEBIAN.with_apt_packages(["a"])),  # type: ignore[arg-type]
        (ValueError, ".txt", lambda: DEBIAN.with_requirements("r.toml")),
        (TypeError, "'A'", lambda: DEBIAN.with_env_vars({"A": 1})),  # type: ignore[dict-item]
        (ValueError, "each name once", lambda: DEBIAN.with_source_file(["a/x.py", "b/x.py"])),
        (TypeError, "tuple", lambda: Image.from_debian_base(python_version="3.12")),  # type: ignore[arg-type]
        (ValueError, "loaded_modules", lambda: DEBIAN.with_code_bundle("some")),  # type: ignore[arg-type]
        (TypeError, "image", lambda: Image.of(3)),
    ],
)
def test_what_is_refused(error: type[Exception], words: str, make: Any) -> None:
    with pytest.raises(error, match=words):
        make()


def test_clone_replaces_what_is_given() -> None:
    image = Image.from_base("x:1").clone(name="n", extendable=True, platform="linux/arm64").with_pip_packages("a")
    assert (image.base_image, image.name, image.platform) == ("x:1", "n", ("linux/arm64",))
    assert image.clone(addl_layer=layers.WorkDir(path="w")).layers[-1] == layers.WorkDir(path="w")


def test_an_image_is_hashable_and_picklable() -> None:
    image = DEBIAN.with_pip_packages("a")
    copy = pickle.loads(pickle.dumps(image))
    assert (copy, hash(copy)) == (image, hash(image))


def test_of_words() -> None:
    assert (Image.of("auto"), Image.of("x:1"), Image.of(DEBIAN)) == ("auto", Image.from_base("x:1"), DEBIAN)


def test_as_plain_data_and_shown() -> None:
    image = Image.from_base("x:1").clone(name="n", extendable=True).with_commands("a")
    assert image.to_json() == {
        "type": "Image",
        "base_image": "x:1",
        "name": "n",
        "extendable": True,
        "layers": [{"type": "Commands", "commands": ["a"]}],
    }
    assert repr(Image.from_base("x:1")) == "Image.from_base('x:1')"
