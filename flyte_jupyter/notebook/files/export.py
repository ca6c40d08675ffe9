"""The tasks of a notebook, written into a module."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ...errors import ConfigValueError
from .module import FLYTE, module
from .reading import Cell, Writer, read
from .slices import Program
from .statements import PACKAGE

_MARK = "written by %flyte_export"


def write(
    path: Path,
    cells: Sequence[Cell],
    writer: Writer,
    wanted: Sequence[str] = (),
    *,
    for_flyte: bool = False,
    is_forced: bool = False,
) -> str:
    """Write the module; what there is to say of it.

    Args:
        wanted: names of tasks; () for all.
        for_flyte: write it for Flyte's own package.
        is_forced: replace a file that was not written by this.

    Raises:
        ConfigValueError: no such tasks, something they need is not there, the file is somebody else's.
    """
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise ConfigValueError(f"{path}: a module is a file NAME.py, where NAME has letters, digits and _")
    if path.exists() and not is_forced and _MARK not in path.read_text(encoding="utf-8").partition("\n")[0]:
        raise ConfigValueError(f"{path}: there is such a file, and it was not written by this; --force replaces it")
    statements, problems = read(cells, writer)
    made = module(
        Program(statements),
        wanted,
        title=f"Tasks of a notebook, {_MARK}.",
        package=FLYTE if for_flyte else PACKAGE,
        is_local=lambda name: Path(f"{name}.py").is_file() or Path(name).is_dir(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".py.new")
    new.write_text(made.text, encoding="utf-8")
    os.replace(new, path)
    lines = [f"{path}: {', '.join(made.tasks)}"]
    lines += [f"note: {note}" for note in made.notes]
    lines += [f"note: {problem}; the cell was left out" for problem in problems]
    return "\n".join(lines)
