"""Which version of an installed library is on the disk, where a fresh process would find it; nothing is imported."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from .modules import is_installed_file

_known: dict[str, tuple[tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]] = {}
"""Distributions by name, each with the folders and their times of change that it was read from: pip changes them."""


def version(name: str) -> str:
    """The version of the distribution that an import of `name` uses; several with commas, "" when there is none.

    That of one which is from no index, but from a folder or a repository, does not change with its code: then a digest
    of what was installed stands after it.
    """
    return ",".join(sorted({version for _, version in _distributions(name)}))


def requirement(name: str) -> str:
    """What brings a module, as it is installed here, such as "scikit_learn==1.5.1"; "" when nothing does."""
    found = next(iter(_distributions(name)), None)
    return f"{found[0]}=={found[1].partition(' ')[0]}" if found is not None else ""


def _distributions(name: str) -> tuple[tuple[str, str], ...]:
    """Name and version of what an import of `name` uses."""
    folders = installed_in(sys.path)
    found = _known.get(name)
    if found is None or found[0] != folders:
        infos = _infos(name, [folder for folder, _ in folders])
        found = _known[name] = (folders, tuple((info.name.split("-")[0], _version(info)) for info in infos))
    return found[1]


def installed_in(paths: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The folders among them where libraries are installed, each with its time of change, which pip sets."""
    found: list[tuple[str, int]] = []
    for path in paths:
        if path and is_installed_file(path + os.sep):
            try:
                found.append((path, os.stat(path).st_mtime_ns))
            except OSError:
                continue
    return tuple(found)


def _infos(name: str, folders: list[str]) -> list[Path]:
    infos = [Path(folder, entry) for folder in folders for entry in sorted(os.listdir(folder)) if _is_info(entry)]
    wanted = _normal(name)
    same = [info for info in infos if _normal(info.name.split("-")[0]) == wanted]
    return same[:1] or [info for info in infos if _provides(info, name)]


def _is_info(entry: str) -> bool:
    return entry.endswith((".dist-info", ".egg-info"))


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _version(info: Path) -> str:
    """From `name-1.2.dist-info`."""
    said = info.name.rpartition(".")[0].partition("-")[2].partition("-py")[0]
    if not (info / "direct_url.json").exists():
        return said
    try:
        content = (info / "RECORD").read_bytes()  # it has a digest of every file
    except OSError:
        return said
    return f"{said} ({hashlib.sha256(content).hexdigest()[:8]})"


def _provides(info: Path, name: str) -> bool:
    """Whether a distribution has installed a module of another name than its own, as scikit-learn has."""
    try:
        names = (info / "top_level.txt").read_text(errors="replace").split()
    except OSError:
        names = []
    if names:
        return name in names
    try:
        record = "\n" + (info / "RECORD").read_text(errors="replace")
    except OSError:
        return False
    return f"\n{name}/" in record or f"\n{name}.py," in record
