"""What of an image a virtual environment can be: which Python, and what has to be left out.  Reads nothing."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from ..refusal import wrong_value
from . import layers
from .image import Image

_PYTHON = re.compile(
    r"(?:.*/)?(?:python|flyte|uv)(?::(?:py(?:thon)?)?(?:(?P<major>\d)(?:\.(?P<minor>\d+))?)?[^@]*)?(?:@.*)?"
)
"""Base images that are a Python with next to nothing else: `python:3.11-slim`, and Flyte's and uv's own."""
_PACKAGES = (layers.PipPackages, layers.Requirements, layers.UVProject, layers.UVScript, layers.PoetryProject)
_POETRY_SAYS_LITTLE = ("--no-root", "--no-interaction", "-n", "--quiet", "-q", "--no-ansi", "--ansi", "--compile")
"""Options of `poetry install` that change nothing in an environment that is new."""
_POETRY_LISTS = ("--with", "--without", "--only", "--extras", "-E")
_POETRY_ALL = ("--all-extras", "--all-groups")


def python_of(image: Image) -> tuple[int, int]:
    """The Python that the image has, as far as it says. Raises ConfigValueError when this process has another one."""
    here = sys.version_info[:2]
    said = _PYTHON.fullmatch(image.base_image or "")
    version = image.python_version
    if version == here and said and said["minor"]:
        version = (int(said["major"]), int(said["minor"]))
    if version != here:
        raise wrong_value(
            "image: Python",
            ".".join(map(str, version)),
            f"{here[0]}.{here[1]}, which runs here: functions travel as pickles, and these need the same Python",
            f"say python_version={here}, or start a kernel with Python {version[0]}.{version[1]}",
        )
    return version


def is_plain_python(image: Image) -> bool:
    """Whether it starts from a Python with next to nothing else."""
    return image.base_image is not None and _PYTHON.fullmatch(image.base_image) is not None


def has_packages(image: Image) -> bool:
    """Whether a layer puts Python packages on it."""
    return any(isinstance(layer, _PACKAGES) for layer in image.layers)


def left_out(image: Image) -> list[str]:
    """What the image says and a virtual environment on this machine cannot do, a sentence each."""
    return [f"image: {sentence}" for sentence in (*_of_base(image), *_of_layers(image))]


def _of_base(image: Image) -> Iterator[str]:
    instead = "its packages are put on a plain Python" if has_packages(image) else "the task runs in this environment"
    if image.dockerfile is not None:
        yield f"the Dockerfile {str(image.dockerfile)!r} is not used here; {instead}."
    elif image.ref_name is not None:
        yield f"the platform's image {image.ref_name!r} is not known here; {instead}."
    elif not is_plain_python(image):
        yield f"the base image {image.base_image!r} is not used here; {instead}."
    if image.flyte_version is not None:
        yield f"flyte_version={image.flyte_version!r} is not used here; tasks have this copy of flyte_jupyter."


def _of_layers(image: Image) -> Iterator[str]:
    workdir = PurePosixPath()
    for layer in image.layers:
        if isinstance(layer, layers.AptPackages):
            yield f"the system packages {', '.join(layer.packages)} (with_apt_packages) are not installed here."
        elif isinstance(layer, layers.Commands):
            yield f"{_commands(layer.commands)} (with_commands) not run here."
        elif isinstance(layer, layers.PixiProject):
            yield f"the pixi project {str(layer.manifest)!r} is not installed here."
        elif isinstance(layer, layers.PixiScript):
            yield f"the packages that {str(layer.script)!r} names for pixi are not installed here."
        elif isinstance(layer, layers.PoetryProject):
            unknown = poetry_options(layer.extra_args)[1]
            if unknown:
                yield f"{' '.join(unknown)} of poetry has no effect here."
        elif isinstance(layer, layers.WorkDir):
            workdir /= layer.path
        elif isinstance(layer, (layers.SourceFolder, layers.SourceFiles, layers.CodeBundle)):
            to = PurePosixPath(layer.dst)
            if to.is_absolute() and not to.is_relative_to(workdir):
                yield f"what is copied to {layer.dst} is there below the folder $FLYTE_JUPYTER_IMAGE, not below /."


def _commands(commands: tuple[str, ...]) -> str:
    if len(commands) == 1:
        return f"the command `{commands[0]}` is"
    return f"{len(commands)} commands, `{commands[0]}` first, are"


def poetry_options(extra_args: str | None) -> tuple[dict[str, list[str]], list[str]]:
    """What options of `poetry install` choose, by option, and the options that are not understood.

    Raises:
        ConfigValueError: quotes that do not end.
    """
    chosen: dict[str, list[str]] = {}
    unknown: list[str] = []
    words = iter(split(extra_args))
    for word in words:
        name, given, value = word.partition("=")
        if name in _POETRY_LISTS:
            chosen.setdefault(name, []).extend(re.split(r"[\s,]+", value if given else next(words, "")))
        elif word in _POETRY_ALL:
            chosen[word] = []
        elif word not in _POETRY_SAYS_LITTLE:
            unknown.append(word)
    return chosen, unknown


def split(extra_args: str | None) -> list[str]:
    """The words of `extra_args`, as a shell would see them. Raises ConfigValueError."""
    try:
        return shlex.split(extra_args or "")
    except ValueError as error:
        raise wrong_value("Image: extra_args", extra_args, "options as a shell takes them", str(error)) from None
