"""What the layers of an image refer to on disk, read by whoever computes a tag or a recipe.

Paths are relative to the working directory, which in a notebook is its folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigError, ConfigValueError, ImageFileError, is_ours
from ..refusal import wrong_value
from ..toml import parse_toml
from .layers import DockerIgnore, Layer

_NEVER = ("**/__pycache__", "**/*.pyc", "**/.ipynb_checkpoints")
"""They come and go by themselves; an image must not be another one for that."""
_SECRET = ("**/.env",)
"""They hold secrets, which are not to be stored; a .dockerignore can take them back in."""
_HEADER = re.compile(r"(?m)^# /// script[ \t]*\n(?P<body>(?:^#(?:| .*)\n)+?)^# ///[ \t]*$")
_INCLUDE = re.compile(r"^(?P<option>\s*(?:-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc])))(?P<path>[^\s#]+)")
_INSTALLED = ("site-packages", "dist-packages")
_CHUNK = 1 << 20
_TICK = 50_000_000
"""Nanoseconds within which a file may be written twice without another time of modification."""


class MissingFileError(ConfigValueError, FileNotFoundError):
    """A file that a layer of an image names is not there."""


@dataclass(frozen=True)
class Content:
    """A file of an image.

    Attributes:
        path: where it goes, relative, with "/"; digest: SHA-256 of what is in it; mode: its permissions.
        source: where to read it; the bytes themselves when they are not those of a file; None where the store has it.
    """

    path: str
    digest: str
    mode: int
    source: Path | bytes | None = None

    @classmethod
    def of_text(cls, path: str, text: str) -> Content:
        """A file with that text."""
        data = text.encode()
        return cls(path, hashlib.sha256(data).hexdigest(), 0o644, data)

    def to_json(self) -> list[Any]:
        return [self.path, self.digest, self.mode]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Content:
        return cls(*data)


class Ignored:
    """Which files a .dockerignore leaves out: the last pattern that fits decides, `!` takes back in (Docker).

    Args:
        patterns: its lines.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        lines = [*_SECRET, *(line.strip() for line in patterns), *_NEVER]
        self._rules = [_rule(line) for line in lines if line and not line.startswith("#")]
        self._takes_back = any(back for back, _ in self._rules)

    def __contains__(self, path: str) -> bool:
        """Whether a file or folder, relative with "/", is left out."""
        found = False
        for back, pattern in self._rules:
            if found is back and pattern.fullmatch(path):
                found = not back
        return found

    def skips(self, folder: str) -> bool:
        """Whether nothing in a folder can be of use."""
        return not self._takes_back and folder in self


class Sources:
    """Reads files and folders, and knows later whether they are still what they were."""

    def __init__(self) -> None:
        self._stamps: dict[Path, _Stamp | None] = {}
        self._folders: list[tuple[Path, Ignored, list[tuple[str, Path]]]] = []
        self._began = time.time_ns()

    def unchanged(self) -> bool:
        """Whether all that was read is still the same, going by sizes and times."""
        recent = self._began - _TICK
        return all(
            stamp == _stamp(path) and (stamp is None or stamp.modified < recent) for path, stamp in self._stamps.items()
        ) and all(list(_walk(folder, left_out)) == found for folder, left_out, found in self._folders)

    def text(self, path: Path, what: str) -> str:
        """The text of a file that `what` names. Raises MissingFileError, ConfigValueError."""
        try:
            self._see(path)
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise unreadable(what, path, error) from None
        except UnicodeDecodeError:
            raise wrong_value(what, str(path), "a text file in UTF-8") from None

    def text_or_none(self, path: Path, what: str) -> str | None:
        """The same, or None when there is no such file."""
        if not path.is_file():
            self._stamps[path.absolute()] = None
            return None
        return self.text(path, what)

    def file(self, to: str, path: Path, what: str) -> Content:
        """A file that is to go to `to`. Raises MissingFileError, ConfigValueError."""
        digest = hashlib.sha256()
        try:
            mode = self._see(path)
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise unreadable(what, path, error) from None
        return Content(to, digest.hexdigest(), mode & 0o777, path.absolute())

    def files(self, folder: Path, left_out: Ignored, what: str) -> list[tuple[str, Path]]:
        """(relative path, file) of all files in a folder, in a fixed order. Raises MissingFileError."""
        if not folder.is_dir():
            raise missing(what, folder, "an existing folder")
        try:
            found = list(_walk(folder.absolute(), left_out))
        except OSError as error:
            raise unreadable(what, folder, error) from None
        self._folders.append((folder.absolute(), left_out, found))
        return found

    def ignored(self, layers: Iterable[Layer], folder: Path, also: Iterable[str] = ()) -> Ignored:
        """What is left out of a folder: by the .dockerignore of the image, else of the folder, else the one here.

        Args:
            also: patterns that come first.

        Raises:
            MissingFileError: the image names one that is not there.
        """
        given = [layer.path for layer in layers if isinstance(layer, DockerIgnore)]
        if given:
            return Ignored([*also, *self.text(given[-1], "Image.with_dockerignore").splitlines()])
        for path in (folder / ".dockerignore", Path(".dockerignore")):
            text = self.text_or_none(path, ".dockerignore")
            if text is not None:
                return Ignored([*also, *text.splitlines()])
        return Ignored(also)

    def script_header(self, path: Path, what: str) -> str:
        """The part of a script that names its packages (PEP 723), without the script.

        Raises:
            MissingFileError: no such file. ConfigValueError: no such part, or more than one.
        """
        found = [match[0] for match in _HEADER.finditer(self.text(path, what).replace("\r\n", "\n") + "\n")]
        if len(found) != 1:
            hint = "it begins with a line `# /// script` and ends with a line `# ///`"
            raise wrong_value(what, str(path), "a script with one header that names its packages", hint)
        return f"{found[0]}\n"

    def requirements(self, path: Path, what: str) -> list[tuple[str, str]]:
        """(name, text) of a requirements file and of the files that it includes, the first one leading.

        The names are made up; the texts refer to each other by them. Raises MissingFileError.
        """
        names: dict[Path, str] = {}
        texts: dict[Path, str] = {}

        def take(file: Path) -> str:
            key = file.resolve()
            if key not in names:
                names[key] = f"requirements-{len(names)}.txt" if names else "requirements.txt"
                texts[key] = ""  # its place among the others is before what it includes
                lines = self.text(file, what).splitlines()
                texts[key] = "".join(f"{_INCLUDE.sub(lambda m: included(file, m), line)}\n" for line in lines)
            return names[key]

        def included(file: Path, match: re.Match[str]) -> str:
            if "://" in match["path"]:
                return match[0]
            return match["option"] + take(file.parent / match["path"])

        take(path)
        return [(names[key], text) for key, text in texts.items()]

    def _see(self, path: Path) -> int:
        found = os.stat(path)
        self._stamps[path.absolute()] = _Stamp(found.st_size, found.st_mtime_ns, found.st_ino, found.st_mode)
        return found.st_mode


@dataclass(frozen=True)
class _Stamp:
    size: int
    modified: int
    inode: int
    mode: int


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _Stamp(found.st_size, found.st_mtime_ns, found.st_ino, found.st_mode)


def _walk(
    folder: Path, left_out: Ignored, above: str = "", seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        path = above + entry.name
        if entry.is_dir():
            real = os.path.realpath(entry.path)
            if real not in seen and not left_out.skips(path):  # a link may lead back
                yield from _walk(Path(entry.path), left_out, f"{path}/", seen | {os.path.realpath(folder), real})
        elif path not in left_out and entry.is_file():
            yield path, Path(entry.path)


def loaded(folder: Path) -> list[Path]:
    """The files of the modules that are loaded and lie in a folder, but for installed ones."""
    named = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = {Path(name).absolute() for name in named if isinstance(name, str) and name.endswith(".py")}
    return sorted(
        file
        for file in files
        if file.is_relative_to(folder) and not is_ours(str(file)) and not set(_INSTALLED) & set(file.parts)
    )


def file_error(problems: Iterable[ConfigError]) -> ImageFileError:
    """One error for all that is wrong with the files of an image."""
    texts = [text for problem in problems for text in (problem.each or [str(problem)])]
    error = ImageFileError("\n".join([f"{len(texts)} problems", *texts] if len(texts) > 1 else texts))
    error.each = texts
    return error


def missing(what: str, path: Path, allowed: str) -> MissingFileError:
    """The error for a path that leads nowhere."""
    return MissingFileError(str(wrong_value(what, str(path), allowed, f"looked for: {path.absolute()}")))


def unreadable(what: str, path: Path, error: OSError) -> ConfigValueError:
    """The error for what cannot be read."""
    if isinstance(error, FileNotFoundError):
        return missing(what, path, "an existing file")
    return wrong_value(what, str(path), "a file that can be read", f"{path.absolute()}: {error.strerror}")


def projects_beside(sources: Sources, pyproject: Path, what: str) -> list[Path]:
    """The folders and wheels on this machine that a uv project needs: path dependencies and members of its workspace.

    Raises:
        ConfigValueError: a pyproject.toml among them that is not valid.
    """
    found: dict[Path, None] = {}

    def look(file: Path) -> None:
        text = sources.text_or_none(file, what)
        if text is None:
            return
        folder = file.absolute().parent
        said = parse_toml(text, what, file).get("tool", {}).get("uv", {})
        for source in said.get("sources", {}).values():
            for each in source if isinstance(source, list) else [source]:
                if "path" in each:
                    take(Path(os.path.normpath(folder / each["path"])))
        for members in said.get("workspace", {}).get("members", ()):
            for member in sorted(folder.glob(members)):
                if (member / "pyproject.toml").is_file():
                    take(member)

    def take(path: Path) -> None:
        if path not in found and path != pyproject.absolute().parent:
            found[path] = None
            look(path / "pyproject.toml")

    look(pyproject)
    return list(found)


def toml_of_header(header: str) -> str:
    """What a script's header says, as TOML."""
    lines = header.strip().split("\n")[1:-1]
    return "".join(line[2:] + "\n" if line.startswith("# ") else line[1:] + "\n" for line in lines)


def _rule(line: str) -> tuple[bool, re.Pattern[str]]:
    """Whether a line takes back in, and what it fits: a path, and all below it."""
    back = line.startswith("!")
    text = os.path.normpath(line.lstrip("!").strip().strip("/") or ".")
    pattern, at = "", 0
    while at < len(text):
        if text.startswith("**/", at):
            pattern, at = f"{pattern}(?:.*/)?", at + 3
        elif text.startswith("**", at):
            pattern, at = f"{pattern}.*", at + 2
        elif text[at] in "*?":
            pattern, at = f"{pattern}[^/]{'*' if text[at] == '*' else ''}", at + 1
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            pattern, at = f"{pattern}[{text[at + 1 : end].replace('!', '^', text[at + 1] == '!')}]", end + 1
        elif text[at] == "\\" and at + 1 < len(text):
            pattern, at = pattern + re.escape(text[at + 1]), at + 2
        else:
            pattern, at = pattern + re.escape(text[at]), at + 1
    return back, re.compile(".*" if text == "." else f"{pattern}(?:/.*)?", re.DOTALL)
