"""A module that the image does not have: which package brings it, and what to write."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution


def explain(error: ModuleNotFoundError, title: str, kernel: Iterable[str]) -> None:
    """Say in the error what to do; for tasks that run in a virtual environment of their image.

    Args:
        title: of the task; kernel: where the kernel that has started the run has its modules from.
    """
    if not error.name:
        return
    top = error.name.partition(".")[0]
    there = _distribution(top, list(kernel))
    if importlib.util.find_spec(top) is None:
        said = f"{there or top} is not in the image of {title}."
        how = f'Add it: .with_pip_packages("{there or top}")'
        if there is None:
            how = f'If a package of that name brings it, add that: .with_pip_packages("{top}")'
    else:
        here = _distribution(top, None)
        said = f"{here or top}, which is in the image of {title}, has no module {error.name}."
        if there is None or there == here:
            return
        said += f" This kernel has {there}."
        how = f'Ask for the same: .with_pip_packages("{there}")'
    error.msg = f"{error.msg}\n{said}\n{how}"
    error.args = (error.msg,)


def _distribution(module: str, path: list[str] | None) -> str | None:
    """The requirement that brings a module, as it is installed there: "scikit-learn==1.5.1"; None when nothing does."""
    from importlib import metadata  # 30 ms, and not a thing that tasks need

    found = metadata.distributions() if path is None else metadata.distributions(path=path)
    for distribution in found:
        if module in _modules_of(distribution):
            return f"{distribution.metadata['Name']}=={distribution.version}"
    return None


def _modules_of(distribution: Distribution) -> set[str]:
    """The top-level modules that it installs, as far as it says."""
    said = distribution.read_text("top_level.txt")
    if said is not None:
        return set(said.split())
    files = (PurePath(str(file)) for file in distribution.files or ())
    return {file.parts[0].partition(".")[0] for file in files if file.suffix in (".py", ".so", ".pyd")}
