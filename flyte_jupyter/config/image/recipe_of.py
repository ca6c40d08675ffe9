"""From an image to its recipe: reads the files that the layers name, in the process that uses the image."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from ... import __version__
from ...errors import ConfigError
from ..plain import plain
from ..refusal import gathered, wrong_value
from ..toml import parse_toml
from . import layers, local
from .files import Content, Sources, file_error, loaded, projects_beside, toml_of_header
from .image import Image
from .index_url import hide, take_out
from .recipe import Recipe, Step, Venv

_OURS = re.compile(r"\s*flyte[-_.]jupyter\b(?![-_.]*\w)", re.IGNORECASE)
"""A requirement that is met already: the environment gets this copy of the package."""
SETTINGS = (
    "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX_STRATEGY",
    "UV_EXCLUDE_NEWER", "UV_RESOLUTION", "UV_PRERELEASE", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_NO_BINARY",
    "UV_NO_BUILD", "UV_TORCH_BACKEND",
)  # fmt: skip
_NO_CODE = (
    ".git", ".venv", "venv", "env", "**/.ipynb_checkpoints", "**/.*_cache", ".cache", ".idea", ".vscode",
    "*.log", "dist", "build", "**/*.egg-info", "*.whl", "node_modules",
)  # fmt: skip
"""What is in a folder of code and is no code."""
_POETRY = ("tool", "run", "--python", "{python}", "--with", "poetry-plugin-export", "--from", "poetry", "poetry")
_MEMO = 64
_made: OrderedDict[tuple[Any, ...], tuple[Sources, Recipe]] = OrderedDict()


def recipe_of(image: Image) -> Recipe:
    """The recipe of an image, from its files as they are now; quick when nothing has changed.

    Raises:
        ImageFileError: files that are missing or cannot be used, all of them in one error.
        ConfigValueError: the image has another Python.
    """
    settings = {name: take_out(os.environ[name]) for name in SETTINGS if os.environ.get(name)}
    bundles = [layer for layer in image.layers if isinstance(layer, layers.CodeBundle)]
    key = (image, os.getcwd(), tuple(settings.items()), *(loaded(Path.cwd()) if bundles else ()))
    known = _made.get(key)
    if known is not None and known[0].unchanged():
        return known[1]
    making = Making(image)
    recipe = making.recipe(settings)
    _made[key] = (making.sources, recipe)
    _made.move_to_end(key)
    while len(_made) > _MEMO:
        _made.popitem(last=False)
    return recipe


class Making:
    """One walk over the layers, as far as virtual environments and containers have them in common.

    Attributes:
        sources: what was read; steps: of uv, so far; build: the files that these read, by path.
        env_vars, workdir: at this point; files: copied so far, by path from the root.
        is_placed: whether a layer says anything of folders.
    """

    def __init__(self, image: Image) -> None:
        self.sources = Sources()
        self._image = image
        self.steps: list[Step] = []
        self.build: dict[str, Content] = {}
        self.env_vars: dict[str, str] = {}
        self.workdir = PurePosixPath("/")
        self.is_placed = False
        self.files: dict[str, Content] = {}

    def recipe(self, settings: dict[str, str]) -> Recipe:
        local.python_of(self._image)
        problems: list[ConfigError] = []
        for layer in self._image.layers:
            with gathered(problems):
                self.take(layer)  # what is not taken is left out, and `left_out` says so
        if problems:
            raise file_error(problems)
        venv = None
        if local.is_plain_python(self._image) or self.steps:
            venv = Venv(
                interpreter=getattr(sys, "_base_executable", sys.executable),
                version=sys.version,
                package=(__version__, str(Path(__file__).resolve().parents[2])),
                needs=(f"cloudpickle=={metadata.version('cloudpickle')}",),
                settings=settings,
                steps=tuple(self.steps),
                files=tuple(self.build.values()),
            )
        return Recipe(
            venv=venv,
            env_vars=self.env_vars,
            workdir=str(self.workdir).lstrip("/") if self.is_placed else None,
            files=tuple(self.files.values()),
        )

    def take(self, layer: layers.Layer) -> bool:
        """Go on with one more layer; whether it is one of these. Raises what is wrong with its files."""
        take = _TAKE.get(type(layer))
        if take is not None:
            take(self, layer)
        return take is not None

    # --- packages

    def _step(self, layer: layers.Layer, what: str, *command: str, folder: str = "") -> None:
        secrets = tuple(plain(secret) for secret in layer.secret_mounts)
        self.steps.append(
            Step(what=what, command=command, env_vars=dict(self.env_vars), folder=folder, secrets=secrets)
        )

    @property
    def _folder(self) -> str:
        """Where the files of the next step are."""
        return str(len(self.steps))

    def pip(self, layer: layers.PipPackages) -> None:
        packages = [take_out(package) for package in layer.packages if not _OURS.match(package)]
        if packages:
            self._step(layer, f"installing {_some(packages)}", *_PIP, *_options(layer), *packages)

    def requirements(self, layer: layers.Requirements) -> None:
        for name, text in self.sources.requirements(layer.file, "Image.with_requirements"):
            lines = text.splitlines(keepends=True)
            self._write(self._folder, name, "".join(f"# {line}" if _OURS.match(line) else line for line in lines))
        what = f"installing what {layer.file.name} names"
        self._step(layer, what, *_PIP, *_options(layer), "--requirement", "requirements.txt", folder=self._folder)

    def uv_script(self, layer: layers.UVScript) -> None:
        what = "Image.from_uv_script"
        header = self.sources.script_header(layer.script, what)
        _check_python(parse_toml(toml_of_header(header), what, layer.script).get("requires-python"), layer.script)
        self._write(self._folder, layer.script.name, header)
        lock = layer.script.with_name(f"{layer.script.name}.lock")
        if (text := self.sources.text_or_none(lock, what)) is not None:
            self._write(self._folder, lock.name, text)
        command = ("sync", "--script", layer.script.name, "--active", "--inexact", "--python", "{python}")
        said = f"installing what {layer.script.name} names"
        self._step(layer, said, *command, *_options(layer), folder=self._folder)

    def uv_project(self, layer: layers.UVProject) -> None:
        what = "Image.with_uv_project"
        root = layer.pyproject.absolute().parent
        project = parse_toml(self.sources.text(layer.pyproject, what), what, layer.pyproject).get("project", {})
        _check_python(project.get("requires-python"), layer.pyproject)
        whole = layer.project_install_mode == "install_project"
        beside = projects_beside(self.sources, layer.pyproject, what)
        top = Path(os.path.commonpath([root, *beside]))
        inner = posixpath.join(self._folder, root.relative_to(top).as_posix())
        for folder in (*beside, *([root] if whole else ())):
            self._copy_project(folder, posixpath.join(self._folder, folder.relative_to(top).as_posix()), what)
        lock = layer.uvlock or layer.pyproject.with_name("uv.lock")
        text = self.sources.text(lock, what) if layer.uvlock else self.sources.text_or_none(lock, what)
        self._write(inner, "pyproject.toml", self.sources.text(layer.pyproject, what))
        if text is not None:
            self._write(inner, "uv.lock", text)
        mode = () if whole else ("--no-install-project",)
        command = ("sync", "--active", "--inexact", "--no-editable", *mode, "--python", "{python}")
        said = "installing " + _of_project(project.get("name"), layer.pyproject, whole)
        self._step(layer, said, *command, *_options(layer), folder=posixpath.normpath(inner))

    def poetry_project(self, layer: layers.PoetryProject) -> None:
        what = "Image.with_poetry_project"
        text = self.sources.text(layer.pyproject, what)
        parsed = parse_toml(text, what, layer.pyproject)
        _check_python(parsed.get("project", {}).get("requires-python"), layer.pyproject)
        whole = layer.project_install_mode == "install_project"
        folder = self._folder
        if whole and "--no-root" not in local.split(layer.extra_args):
            self._copy_project(layer.pyproject.absolute().parent, folder, what)
        self._write(folder, "pyproject.toml", text)
        lock = layer.poetry_lock or layer.pyproject.with_name("poetry.lock")
        self._write(folder, "poetry.lock", self.sources.text(lock, what))
        name = parsed.get("project", {}).get("name") or parsed.get("tool", {}).get("poetry", {}).get("name")
        export = ("export", "--output", "requirements.txt", *_poetry_groups(parsed, layer.extra_args))
        self._step(layer, f"reading {lock.name}", *_POETRY, *export, folder=folder)
        said = "installing " + _of_project(name, layer.pyproject, False)
        self._step(layer, said, *_PIP, "--requirement", "requirements.txt", folder=folder)
        if whole and "--no-root" not in local.split(layer.extra_args):
            self._step(layer, f"installing {name or layer.pyproject}", *_PIP, "--no-deps", ".", folder=folder)

    def _copy_project(self, folder: Path, to: str, what: str) -> None:
        if folder.is_file():  # a wheel
            found = [("", folder)]
        else:
            left_out = self.sources.ignored(self._image.layers, folder, (".venv", "**/.venv"))
            found = self.sources.files(folder, left_out, what)
        for path, file in found:
            there = posixpath.normpath(f"{to}/{path}")
            self.build[there] = self.sources.file(there, file, what)

    def _write(self, folder: str, name: str, text: str) -> None:
        path = posixpath.normpath(f"{folder}/{name}")
        self.build[path] = Content.of_text(path, take_out(text))

    # --- variables and files

    def env(self, layer: layers.EnvVars) -> None:
        self.env_vars.update(layer.env_vars)

    def work_dir(self, layer: layers.WorkDir) -> None:
        self.workdir = self._at(layer.path)
        self.is_placed = True

    def source_folder(self, layer: layers.SourceFolder) -> None:
        name = "" if layer.copy_contents_only else layer.src.name
        to = self._at(name if layer.dst == "." else layer.dst)
        left_out = self.sources.ignored(self._image.layers, layer.src, (".git",))
        for path, file in self.sources.files(layer.src, left_out, "Image.with_source_folder"):
            self._put(to / path, file)

    def source_files(self, layer: layers.SourceFiles) -> None:
        to = self._at(layer.dst)
        for file in layer.src:
            self._put(to / file.name if len(layer.src) > 1 or self._is_folder(layer.dst) else to, file)

    def code_bundle(self, layer: layers.CodeBundle) -> None:
        root, to = Path.cwd(), self._at(layer.dst)
        if layer.copy_style == "all":
            left_out = self.sources.ignored(self._image.layers, root, _NO_CODE)
            found = self.sources.files(root, left_out, "Image.with_code_bundle")
        else:
            found = [(file.relative_to(root).as_posix(), file) for file in loaded(root)]
        for path, file in found:
            self._put(to / path, file)

    def _put(self, to: PurePosixPath, file: Path) -> None:
        self.is_placed = True
        path = str(to).lstrip("/")
        self.files[path] = self.sources.file(path, file, "Image: source")

    def _at(self, path: str) -> PurePosixPath:
        """A path of the image, from its root; `..` does not lead out of it."""
        return PurePosixPath(posixpath.normpath(self.workdir / path))

    def _is_folder(self, dst: str) -> bool:
        """As Docker sees it: it ends with a slash, or is there already."""
        to = self._at(dst)
        below = (*self.files, f"{self.workdir}/x".lstrip("/"), *(f"{name}/x" for name in ("root", "home", "tmp")))
        return dst.endswith(("/", ".")) or str(to) == "/" or any(f"/{path}".startswith(f"{to}/") for path in below)


_TAKE: dict[type[layers.Layer], Callable[[Making, Any], None]] = {
    layers.PipPackages: Making.pip,
    layers.Requirements: Making.requirements,
    layers.UVScript: Making.uv_script,
    layers.UVProject: Making.uv_project,
    layers.PoetryProject: Making.poetry_project,
    layers.EnvVars: Making.env,
    layers.WorkDir: Making.work_dir,
    layers.SourceFolder: Making.source_folder,
    layers.SourceFiles: Making.source_files,
    layers.CodeBundle: Making.code_bundle,
}
_PIP = ("pip", "install", "--python", "{python}")


def _options(layer: layers.Index) -> list[str]:
    """What a layer says of indexes, as options of uv."""
    options = ["--default-index", take_out(layer.index_url)] if layer.index_url else []
    for url in layer.extra_index_urls:
        options += ["--index", take_out(url)]
    options += ["--prerelease", "allow"] if layer.pre else []
    return [*options, *map(take_out, local.split(layer.extra_args))]


def _check_python(specifier: Any, path: Path) -> None:
    """Refuse what another Python is required for, before anything starts."""
    if not isinstance(specifier, str):
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    here = ".".join(map(str, sys.version_info[:3]))
    try:
        fits = SpecifierSet(specifier).contains(here, prereleases=True)
    except InvalidSpecifier:
        raise wrong_value(f"{path}: requires-python", specifier, 'versions such as ">=3.10"') from None
    if not fits:
        hint = f"it says requires-python = {specifier!r}; start a kernel with such a Python, or change it"
        raise wrong_value(f"image: {path}", specifier, f"files for Python {here}, which runs here", hint)


def _poetry_groups(parsed: dict[str, Any], extra_args: str | None) -> list[str]:
    """The groups that `poetry install` would install, as options of `poetry export`."""
    chosen, _ = local.poetry_options(extra_args)
    said = [f"--extras={extra}" for name in ("--extras", "-E") for extra in chosen.get(name, ())]
    said += [name for name in ("--all-extras", "--all-groups") if name in chosen]
    if "--only" in chosen:
        return [*said, *(f"--only={group}" for group in chosen["--only"])]
    poetry = parsed.get("tool", {}).get("poetry", {})
    groups = {name: bool(group.get("optional")) for name, group in poetry.get("group", {}).items()}
    groups = {**dict.fromkeys(parsed.get("dependency-groups", {}), False), **groups}
    if "dev-dependencies" in poetry:
        groups.setdefault("dev", False)
    wanted = {name for name, optional in groups.items() if not optional} | set(chosen.get("--with", ()))
    return [*said, *(f"--with={group}" for group in sorted(wanted - set(chosen.get("--without", ()))))]


def _some(packages: Iterable[str]) -> str:
    """The first packages in words, without versions."""
    names = [re.split(r"[\s<>=!~;\[@(]", hide(package), maxsplit=1)[0] for package in packages if package[0] != "-"]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _of_project(name: Any, path: Path, whole: bool) -> str:
    said = str(name) if name else str(path)
    return f"{said} and what it needs" if whole else f"what {said} needs"
