"""Execute the notebooks and write what their cells show into them: `python notebooks/refresh.py [NAME.ipynb ...]`.

They are committed with their outputs, so that they can be read on a web page.  Each notes the sources that its outputs
are of; `--check` executes nothing and exits with 1 when that is not true of one, or when it tells of this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KEY = "flyte_jupyter"
PYTHON = (sys.base_prefix, sys.base_prefix.replace(str(Path.home()), "~"))
"""Where this Python is, in full and as cards say it."""


def sources(notebook: Any) -> str:
    """Identify the code of a notebook."""
    code = [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:32]


def traces(notebook: Any) -> list[str]:
    """What its outputs tell of the machine that it was executed on."""
    ours = {str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.prefix, *PYTHON, socket.gethostname(), "/tmp/"}  # noqa: S108 - looked for, not used
    said = json.dumps([cell.get("outputs") for cell in notebook.cells])
    return sorted(word for word in ours if len(word) > 3 and word in said)


def anywhere(notebook: Any, home: Path) -> Any:
    """The notebook as if its state and its Python were where most people have them."""
    text = nbformat.writes(notebook).replace(str(home), "~/.local/state/flyte_jupyter")
    for prefix in PYTHON:
        text = text.replace(prefix, "/usr")
    return nbformat.reads(text, as_version=4)


def problems(path: Path) -> list[str]:
    """Why a notebook cannot be committed as it is."""
    notebook: Any = nbformat.read(path, as_version=4)
    found = [f"its outputs name {word}" for word in traces(notebook)]
    if notebook.metadata.get(KEY, {}).get("sources") != sources(notebook):
        found.append(f"its outputs are not those of its code: python notebooks/refresh.py {path.name}")
    return found


def execute(path: Path, home: Path) -> Any:
    """The notebook with its outputs, executed with a state folder of its own. Raises what nbclient raises."""
    notebook: Any = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],  # the kernel's remarks on its own transport are of no use here
        resources={"metadata": {"path": str(HERE)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT), "FLYTE_JUPYTER_HOME": str(home)})
    notebook.metadata.language_info = {"name": "python"}  # the version of this machine's Python is of no interest
    notebook.metadata[KEY] = {"sources": sources(notebook)}
    return anywhere(notebook, home)


def refresh(path: Path) -> list[str]:
    """Execute a notebook and write it, unless its outputs tell of this machine; what is wrong."""
    home = Path(tempfile.mkdtemp(prefix="fj-"))
    try:
        notebook = execute(path, home)
    finally:
        stop = [sys.executable, "-m", "flyte_jupyter.host", "--home", str(home), "--stop"]
        subprocess.run(stop, cwd=ROOT, capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)
    if found := [f"its outputs name {word}" for word in traces(notebook)]:
        return found
    nbformat.write(notebook, path)
    return []


def main() -> int:
    """The exit code: 1 when something is wrong with a notebook."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME.ipynb", help="all, when none are given")
    parser.add_argument("--check", action="store_true", help="execute nothing, say what is wrong")
    given = parser.parse_args()
    paths = [HERE / name for name in given.names] or sorted(HERE.glob("*.ipynb"))
    wrong = {path.name: problems(path) if given.check else refresh(path) for path in paths}
    for name, found in wrong.items():
        print(f"{name}: {'; '.join(found) or 'as it should be'}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
