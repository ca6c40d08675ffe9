"""Executes notebooks in IPython and exports their tasks: `python -m tests.integration.exported CASES.json FOLDER`.

One process for all of them, since each of them starts with the variables and the history of a new session.  Prints one
JSON object: for each notebook what its check gives there, and what the export has said.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell


def execute(shell: Any, name: str, cells: list[str], check: str, folder: Path) -> dict[str, str]:
    """Execute one notebook in its own folder, and export its tasks as `NAME_tasks.py`."""
    shell.reset(new_session=True)
    os.chdir(folder)
    said: list[str] = []
    shell.display_pub.publish = lambda data, **_: said.append(data["text/plain"])
    for source in cells:
        shell.run_cell(source, store_history=True).raise_error()
    shell.run_cell(f"%flyte_export {name}_tasks.py", store_history=True).raise_error()
    return {"said": said[-1], "value": repr(eval(check, shell.user_ns))}


def main(cases: Path, folder: Path) -> None:
    """Execute all of them."""
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "flyte_jupyter")
    out, sys.stdout = sys.stdout, sys.stderr
    found = {
        name: execute(shell, name, case["cells"], case["check"], folder)
        for name, case in json.loads(cases.read_text()).items()
    }
    out.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
