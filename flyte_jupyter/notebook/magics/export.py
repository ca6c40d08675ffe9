"""`%flyte_export`: the tasks of a notebook as a module."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigValueError
from .magic import Magic, Use
from .options import Flag, Line, OptionError, Parser


def export(use: Use) -> None:
    """Write the module, and say what is in it."""
    from ..files.export import write
    from ..files.reading import cells_of_file, cells_of_kernel
    from .written import written

    check(use.line)
    name, *wanted = use.line.words
    options = use.line.options
    file = options.get("--notebook")
    cells = cells_of_file(Path(file)) if file else cells_of_kernel(use.shell.history_manager.input_hist_raw)
    try:
        said = write(Path(name), cells, written, wanted, for_flyte="--flyte" in options, is_forced="--force" in options)
    except ConfigValueError as e:
        raise OptionError(str(e)) from None
    use.say(said)


def check(line: Line, _: str = "") -> None:
    """It needs a file. Raises `OptionError`."""
    if not line.words:
        raise OptionError(f"which file?\nusage: {EXPORT.parser.usage}")


EXPORT = Magic(
    "flyte_export",
    Parser(
        "%flyte_export FILE.py [TASK ...] [options]",
        "Write tasks, and what they need of the notebook, into a module; all of them when none are named. Run as a"
        " program it does what the notebook's runs of these tasks did. What counts is what this kernel has executed.",
        [
            Flag("--notebook", "Of this notebook file instead, as it is saved.", "FILE", names="notebooks"),
            Flag("--flyte", "For Flyte's own package: `import flyte`."),
            Flag("--force", "Replace a file that was not written by this."),
        ],
        most=1000,
        names=("modules", "tasks"),
    ),
    export,
    check,
)
