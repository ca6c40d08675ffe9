"""What a notebook that is saved has in it: executed by nbclient, as on a server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards import card
from tests.kernel.front import ROOT

SECRET = "s3cr3t-but-long-enough-to-be-one"
CELLS = (
    """\
%load_ext flyte_jupyter
import os
import flyte_jupyter as flyte
import helpers
env = flyte.TaskEnvironment(name="my_env", secrets=["token"])
flyte.secrets.set("token", value=os.environ.pop("GIVEN"))

@env.task
def reads(path: str) -> dict:
    print("reading", path, os.environ["TOKEN"])
    return {"file": path, "rows": [1, 2, 3]}

@env.task(retries=1)
def fails(path: str) -> int:
    return helpers.opens(path)
""",
    "flyte.run(reads, os.path.expanduser('~/data.csv')).outputs()[0]['rows']",
    "flyte.run(fails, os.path.expanduser('~/none.csv'))",
    "run = flyte.submit(reads, 'x')",
    "run.wait()\nrun",
    """\
def scale(x):
    return 2 * x

@env.task(cache="auto")
def scales(x: int) -> int:
    return scale(x)

value = flyte.run(scales, 1).result()
""",
    """\
def scale(x):
    return 3 * x

run = flyte.run(scales, 1)
print(run.cache)
""",
    "%flyte_runs",
    "%flyte_logs",
    "%flyte_config scales",
    "display(env, scales, scales.override(retries=2))",
)


@pytest.fixture
def executed(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A notebook in the home of somebody."""
    somebody = tmp_path / "home" / "ada"
    folder = somebody / "project"
    folder.mkdir(parents=True)
    (folder / "helpers.py").write_text("def opens(path):\n    return len(open(path).read())\n")
    (somebody / "data.csv").write_text("x\n")
    monkeypatch.setenv("HOME", str(somebody))
    monkeypatch.setenv("GIVEN", SECRET)
    monkeypatch.setenv("FLYTE_JUPYTER_HOME", str(home.path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources).execute()
    return notebook


def test_no_folder_of_the_user_no_secret_and_no_pickle(executed: Any, home: Home, tmp_path: Path) -> None:
    cards = [out for cell in executed.cells for out in cell.outputs if card.MIME in out.get("data", {})]
    assert ["succeeded", "failed", *["succeeded"] * 4] == [out["data"][card.MIME]["phase"] for out in cards]
    assert "~/data.csv" in cards[0]["data"]["text/html"]
    assert "File &quot;helpers.py&quot;, line 2, in opens" in cards[1]["data"]["text/html"]
    for out in cards:
        saved = json.dumps(out)
        assert card.MOST > len(saved)
        for unwanted in (str(tmp_path), str(home.path), SECRET, home.key().hex(), "gASV", "\\u0080\\u0004"):
            assert unwanted not in saved
        assert out["data"].keys() == {"text/plain", "text/html", card.MIME}
    assert SECRET not in nbformat.writes(executed)
    ours = [out for cell in executed.cells for out in cell.outputs if out["output_type"] != "error"]
    for unwanted in (str(tmp_path), str(home.path), "ipykernel_"):  # an error's message is the task's own
        assert unwanted not in json.dumps(ours)
    assert "`scale` changed in Cell In[7], line 1\n" in [out.get("text") for out in executed.cells[6].outputs]


def test_nothing_is_left_that_needs_a_kernel(executed: Any) -> None:
    assert "widgets" not in executed.metadata
    kinds = {kind for cell in executed.cells for out in cell.outputs for kind in out.get("data", {})}
    assert {"text/plain", "text/html", card.MIME} == kinds
