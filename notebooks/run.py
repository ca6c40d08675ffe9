"""Execute a notebook in memory and print what its cells show: `python notebooks/run.py notebooks/NAME.ipynb`.

The file is not changed.  Exits with 1 when a cell fails, naming the cell and the error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SECONDS_PER_CELL = 600
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PLACEHOLDER = re.compile(r"<[\w.]+ object( at 0x[0-9a-f]+)?>")  # what HTML(...) says where there is no HTML


def text_of(output: dict[str, Any]) -> str:
    """What an output of a cell says as plain text; "" when there is no such thing."""
    if output["output_type"] == "stream":
        text = str(output["text"])
    elif output["output_type"] == "error":
        text = "\n".join(output["traceback"])
    else:
        text = str(output["data"].get("text/plain", ""))
        if "text/html" in output["data"] and _PLACEHOLDER.fullmatch(text.strip()):
            return ""
    text = text.rstrip()
    return text if sys.stdout.isatty() else _ANSI.sub("", text)


def heading(number: int, source: str) -> str:
    """How a cell is called in what is printed: its number among the cells with code, and its first line."""
    lines = source.strip().splitlines() or [""]
    return f"cell {number}: {lines[0]}"


def show(number: int, cell: dict[str, Any]) -> None:
    """Print what a cell shows, if it shows anything."""
    texts = [text for text in map(text_of, cell["outputs"]) if text]
    if texts:
        print(f"\n{heading(number, cell['source'])}", *texts, sep="\n", flush=True)


def main(path: Path) -> int:
    """Execute the notebook, printing each cell as it ends; the exit code."""
    notebook = nbformat.read(path, as_version=4)
    numbers: dict[int, int] = {}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            numbers[index] = len(numbers) + 1
    running = 0

    def started(cell_index: int, **_: Any) -> None:
        nonlocal running
        running = cell_index

    def ended(cell: dict[str, Any], cell_index: int, **_: Any) -> None:
        show(numbers[cell_index], cell)

    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        startup_timeout=120,
        extra_arguments=["--log-level=ERROR"],  # the kernel's remarks on its own transport are of no use here
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=started,
        on_cell_executed=ended,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        reason = str(error)
    else:
        return 0
    failed = heading(numbers[running], notebook.cells[running].source)
    print(f"\n{path.name}, {failed}\nfailed: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
