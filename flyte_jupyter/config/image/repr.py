"""An image as the chain of calls that makes it, to be pasted back."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from ..values.value import pasted
from . import layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .image import Image

_METHODS: dict[type[layers.Layer], tuple[str, str]] = {
    layers.PipPackages: ("with_pip_packages", "*packages"),
    layers.Requirements: ("with_requirements", "file"),
    layers.UVProject: ("with_uv_project", "pyproject"),
    layers.PoetryProject: ("with_poetry_project", "pyproject"),
    layers.PixiProject: ("with_pixi_project", "manifest"),
    layers.AptPackages: ("with_apt_packages", "*packages"),
    layers.Commands: ("with_commands", "commands"),
    layers.EnvVars: ("with_env_vars", "env_vars"),
    layers.WorkDir: ("with_workdir", "path"),
    layers.SourceFolder: ("with_source_folder", "src"),
    layers.SourceFiles: ("with_source_file", "src"),
    layers.CodeBundle: ("with_code_bundle", ""),
    layers.DockerIgnore: ("with_dockerignore", "path"),
}
"""The method for a layer, and the field that is given by position."""
_SCRIPTS: dict[type[layers.Layer], str] = {
    layers.UVScript: "from_uv_script",
    layers.PixiScript: "from_pixi_script",
}
_CLONED = ("registry", "registry_secret", "name", "base_image", "python_version", "extendable", "platform")


def calls(image: Image) -> str:
    """`Image.from_debian_base(...).with_pip_packages(...)`; credentials in URLs are hidden."""
    start, made, rest = _origin(image)
    changed = {name: getattr(image, name) for name in _CLONED if getattr(image, name) != getattr(made, name)}
    closed = not image.extendable and bool(rest)
    if closed:
        changed["extendable"] = True
    text = start + (f".clone({_keywords(changed)})" if changed else "")
    text += "".join(_layer(layers.without_credentials(layer)) for layer in rest)
    return text + (".clone(extendable=False)" if closed else "")


def _origin(image: Image) -> tuple[str, Image, tuple[layers.Layer, ...]]:
    """The constructor with its arguments, the image that it makes, and the layers that are to be added."""
    make = type(image)
    first = image.layers[0] if image.layers else None
    if image.dockerfile is not None:
        given: dict[str, Any] = {"platform": image.platform} if image.platform != ("linux/amd64",) else {}
        where = (str(image.dockerfile), str(image.registry), str(image.name))
        return _call("from_dockerfile", where, given), make.from_dockerfile(*where, **given), image.layers
    if image.ref_name is not None:
        return _call("from_ref_name", (image.ref_name,), {}), make.from_ref_name(image.ref_name), image.layers
    if first is not None and type(first) in _SCRIPTS and not image.install_flyte:
        constructor = _SCRIPTS[type(first)]
        given = {"name": image.name, **_of_debian(image, install_flyte=False, name=image.name), **_options(first)}
        if isinstance(first, layers.PixiScript):
            given.pop("python_version", None)
        script = given.pop("script")
        made = getattr(make, constructor)(script, **given)
        return _call(constructor, (script,), given), made, image.layers[1:]
    if image.install_flyte or (image.name is not None and str(image.base_image).endswith("-slim-bookworm")):
        given = _of_debian(image)
        return _call("from_debian_base", (), given), make.from_debian_base(**given), image.layers
    return _call("from_base", (image.base_image,), {}), make.from_base(str(image.base_image)), image.layers


def _of_debian(image: Image, **known: Any) -> dict[str, Any]:
    """The arguments of a Debian base beside `known` ones, as far as they differ from what it has by itself.

    Its Python is always among them: another one may read this.
    """
    default = type(image).from_debian_base(**known)
    names = ("flyte_version", "install_flyte", "registry", "registry_secret", "name", "platform")
    changed = {name: getattr(image, name) for name in names if getattr(image, name) != getattr(default, name)}
    return {"python_version": image.python_version, **changed}


def _layer(layer: layers.Layer) -> str:
    if type(layer) not in _METHODS:
        return f".clone(addl_layer={layer!r})"
    method, first = _METHODS[type(layer)]
    given = _options(layer)
    if first.startswith("*"):
        return f".{_call(method, given.pop(first[1:]), given, '')}"
    return f".{_call(method, (given.pop(first),) if first else (), given, '')}"


def _options(layer: layers.Layer) -> dict[str, Any]:
    """What differs from the default, as it is given to a method."""
    found = {}
    for f in fields(layer):
        value = getattr(layer, f.name)
        if f.default is not MISSING and value == f.default:
            continue
        if isinstance(layer, layers.EnvVars):
            value = dict(value)
        elif isinstance(value, tuple) and f.name != "packages":
            value = list(value)
        found[f.name] = value
    return found


def _call(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], owner: str = "Image.") -> str:
    given = ", ".join([*map(pasted, args), *([_keywords(kwargs)] if kwargs else [])])
    return f"{owner}{name}({given})"


def _keywords(kwargs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={pasted(value)}" for name, value in kwargs.items())
