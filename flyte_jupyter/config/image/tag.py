"""The tag of an image: what it is made of, with what is in its files, as they are now.

Equal images have equal tags.  The tag is another one for anything that changes the result, and the same for what does
not: a script's code below its header, the folder that a Dockerfile is in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...errors import ConfigError
from ..plain import plain
from ..refusal import gathered, wrong_value
from . import layers
from .files import Content, Sources, file_error, loaded, projects_beside
from .index_url import hide

if TYPE_CHECKING:
    from .image import Image

_COPIES = re.compile(r"^\s*(?:(?:COPY|ADD)\s(?!.*--from=)|RUN\s+--mount=)", re.IGNORECASE | re.MULTILINE)


def tag(image: Image) -> str:
    """The tag, 32 hexadecimal digits. Raises ImageFileError for all that is missing or cannot be used."""
    return hashlib.sha256(json.dumps(contents(image), sort_keys=True).encode()).hexdigest()[:32]


def contents(image: Image) -> list[Any]:
    """What the image is made of, as plain data: its base, then its layers in order.

    Raises:
        ImageFileError: files that are missing or cannot be used, all of them in one error.
    """
    sources = Sources()
    problems: list[ConfigError] = []
    parts: list[Any] = [_base(image)]
    if image.dockerfile is not None:
        with gathered(problems):
            parts.append(_dockerfile(sources, image.dockerfile))
    for layer in image.layers:
        with gathered(problems):
            read = _READ.get(type(layer))
            parts.append([_settings(layer), read(sources, image, layer) if read is not None else None])
    if problems:
        raise file_error(problems)
    return parts


def _base(image: Image) -> dict[str, Any]:
    names = ("base_image", "ref_name", "platform", "python_version", "install_flyte", "flyte_version")
    made = {name: plain(getattr(image, name)) for name in names}
    return {**made, "flyte_version": image.flyte_version or __version__} if image.install_flyte else made


def _settings(layer: layers.Layer) -> dict[str, Any]:
    """What a layer says, without paths: what is in the files counts, not where they are."""
    given = {f.name: getattr(layer, f.name) for f in fields(layer) if not f.type.startswith(("Path", "tuple[Path"))}
    return {"layer": type(layer).__name__, **{name: _without_credentials(plain(item)) for name, item in given.items()}}


def _without_credentials(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_credentials(item) for item in value]
    return hide(value) if isinstance(value, str) else value


# --- what is in the files of a layer


def _dockerfile(sources: Sources, file: Path) -> list[Any]:
    what = "Image.from_dockerfile"
    text = sources.text(file, what)
    return [text, _folder(sources, (), file.absolute().parent, what) if reads_folder(text) else None]


def reads_folder(dockerfile: str) -> bool:
    """Whether a Dockerfile takes files from the folder that it is in."""
    return _COPIES.search(dockerfile) is not None


def _requirements(sources: Sources, _: Image, layer: layers.Requirements) -> Any:
    return sources.requirements(layer.file, "Image.with_requirements")


def _uv_project(sources: Sources, image: Image, layer: layers.UVProject) -> Any:
    what = "Image.with_uv_project"
    text = sources.text(layer.pyproject, what)
    lock = _lock(sources, layer.uvlock, layer.pyproject.with_name("uv.lock"), what)
    beside = [_project(sources, image, path, what) for path in projects_beside(sources, layer.pyproject, what)]
    return [text, lock, beside, _whole(sources, image, layer, layer.pyproject, what)]


def _poetry_project(sources: Sources, image: Image, layer: layers.PoetryProject) -> Any:
    what = "Image.with_poetry_project"
    text = sources.text(layer.pyproject, what)
    lock = sources.text(layer.poetry_lock or layer.pyproject.with_name("poetry.lock"), what)
    return [text, lock, _whole(sources, image, layer, layer.pyproject, what)]


def _pixi_project(sources: Sources, image: Image, layer: layers.PixiProject) -> Any:
    what = "Image.with_pixi_project"
    manifest = layer.manifest
    if manifest.is_dir():
        manifest = manifest / ("pixi.toml" if (manifest / "pixi.toml").exists() else "pyproject.toml")
    text = sources.text(manifest, what)
    if manifest.name not in ("pixi.toml", "pyproject.toml"):
        raise wrong_value(what, str(manifest), "a manifest called pixi.toml or pyproject.toml, as pixi looks for them")
    lock = _lock(sources, layer.pixi_lock, manifest.with_name("pixi.lock"), what)
    return [text, lock, _whole(sources, image, layer, manifest, what)]


def _script(what: str, lock: str) -> Callable[[Sources, Image, Any], Any]:
    def read(sources: Sources, _: Image, layer: Any) -> Any:
        header = sources.script_header(layer.script, what)
        if layer.script.suffix != ".py":
            raise wrong_value(what, str(layer.script), "a file ending in .py")
        return [header, sources.text_or_none(layer.script.with_name(layer.script.name + lock), what)]

    return read


def _source_folder(sources: Sources, image: Image, layer: layers.SourceFolder) -> Any:
    name = "" if layer.copy_contents_only or layer.dst != "." else layer.src.name
    return [name, _folder(sources, image.layers, layer.src, "Image.with_source_folder")]


def _source_files(sources: Sources, _: Image, layer: layers.SourceFiles) -> Any:
    return [_data(sources.file(file.name, file, "Image.with_source_file")) for file in layer.src]


def _code_bundle(sources: Sources, image: Image, layer: layers.CodeBundle) -> Any:
    root, what = Path.cwd(), "Image.with_code_bundle"
    if layer.copy_style == "all":
        return _folder(sources, image.layers, root, what)
    return [_data(sources.file(file.relative_to(root).as_posix(), file, what)) for file in loaded(root)]


def _dockerignore(sources: Sources, _: Image, layer: layers.DockerIgnore) -> Any:
    return sources.text(layer.path, "Image.with_dockerignore")


_READ: Mapping[type[layers.Layer], Callable[[Sources, Image, Any], Any]] = {
    layers.Requirements: _requirements,
    layers.UVProject: _uv_project,
    layers.UVScript: _script("Image.from_uv_script", ".lock"),
    layers.PoetryProject: _poetry_project,
    layers.PixiProject: _pixi_project,
    layers.PixiScript: _script("Image.from_pixi_script", ".pixi.lock"),
    layers.SourceFolder: _source_folder,
    layers.SourceFiles: _source_files,
    layers.CodeBundle: _code_bundle,
    layers.DockerIgnore: _dockerignore,
}


def _lock(sources: Sources, given: Path | None, beside: Path, what: str) -> str | None:
    """A lock file that was named has to be there; the one beside the project need not."""
    return sources.text(given, what) if given is not None else sources.text_or_none(beside, what)


def _whole(sources: Sources, image: Image, layer: Any, file: Path, what: str) -> Any:
    """The files of a project that is installed itself."""
    if layer.project_install_mode != "install_project":
        return None
    return _folder(sources, image.layers, file.absolute().parent, what)


def _project(sources: Sources, image: Image, path: Path, what: str) -> Any:
    return _data(sources.file(path.name, path, what)) if path.is_file() else _folder(sources, image.layers, path, what)


def _folder(sources: Sources, around: tuple[layers.Layer, ...], folder: Path, what: str) -> list[Any]:
    left_out = sources.ignored(around, folder)
    return [_data(sources.file(path, file, what)) for path, file in sources.files(folder, left_out, what)]


def _data(content: Content) -> list[Any]:
    """Its path, its digest, and whether it may be executed, which is all that git keeps of permissions too."""
    return [content.path, content.digest, bool(content.mode & 0o100)]
