"""Whether an image has what a call was pickled with: told by name, before anything is unpickled."""

from __future__ import annotations

import importlib.util
import sys

from ..pack.libraries import requirement
from ..pods import Failure, PodRequest


def misfit(request: PodRequest) -> Failure | None:
    """Why the request cannot run in this image, None when it can as far as is known."""
    here, theirs = f"{sys.version_info.major}.{sys.version_info.minor}", request.packages.get("python")
    if theirs is not None and theirs != here:
        message = (
            f"{request.title} was called from Python {theirs}, and its image has {here}: pickles do not travel between "
            f"them.\nUse an image with the same: flyte.Image.from_debian_base(python_version="
            f"({theirs.replace('.', ', ')}))."
        )
        return Failure(code="VersionMismatch", kind="user", message=message, recoverable=False)
    wanted = {name: brings for name, brings in request.packages.items() if name != "python"}
    missing = {name: brings for name, brings in wanted.items() if not _is_here(name)}
    if not missing:
        return None
    names = ", ".join(name for name in sorted(missing))
    is_are, it_them = ("is", "it") if len(missing) == 1 else ("are", "them")
    add = ", ".join(f'"{brings or name}"' for name, brings in sorted(missing.items()))
    message = f"{names} {is_are} not in the image of {request.title}.\nAdd {it_them}: .with_pip_packages({add})"
    if not all(missing.values()):
        message += "\nWhat no package brings, with_source_folder() does."
    return Failure(code="ModuleNotFoundError", kind="user", message=message, recoverable=False)


def differences(request: PodRequest) -> tuple[str, ...]:
    """What is there in another version, one line each; what differs in the third number alone is not worth one."""
    told = []
    for name, theirs in sorted(request.packages.items()):
        ours = requirement(name) if theirs and name != "python" else ""
        if ours and _release(ours) != _release(theirs):
            told.append(f"{name}: the image has {ours}, and the caller {theirs}")
    return tuple(told)


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _release(requirement: str) -> list[str]:
    return requirement.partition("==")[2].split(".")[:2]
