"""What is there where a run was started, and not where its task runs: modules, files and programs; what to write."""

from __future__ import annotations

import importlib.util
import os
import traceback
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution


def explain_module(error: ModuleNotFoundError, title: str, kernel: Iterable[str]) -> None:
    """Say in the error what to do; for tasks that run in an image.

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


def explain_file(error: FileNotFoundError, title: str, folder: str) -> None:
    """Add a note of what to do; for tasks that run in a container, which has none of our files.

    Args:
        title: of the task; folder: that the run was started in.
    """
    if not isinstance(error.filename, (str, bytes, os.PathLike)):
        return
    name = os.fsdecode(error.filename)
    if os.sep not in name and _raised_in(error).endswith(f"{os.sep}subprocess.py"):
        note = f"The image of {title} has no program {name}: .with_apt_packages(...) with the package that brings it."
    elif (beside := _beside(name, folder)) is not None:
        note = "A pod has files of its own. One beside the notebook goes along when its environment says so: "
        note += f"include=[{beside!r}]"
    else:
        note = "A pod has files of its own, and none of your machine: a bucket, a volume (pod_template) or the image "
        note += "(.with_source_folder) can bring yours."
    vars(error).setdefault("__notes__", []).append(note)  # as `add_note`, which Python 3.10 does not have


def _raised_in(error: BaseException) -> str:
    """The file of the code that raised it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return frames[-1].f_code.co_filename if frames else ""


def _beside(name: str, folder: str) -> str | None:
    """The path as `include` takes it; None for a file that does not lie below that folder."""
    path = os.path.normpath(os.path.join(folder, name))
    below = os.path.relpath(path, folder)
    return below if folder and below.split(os.sep)[0] not in (os.curdir, os.pardir) else None


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
