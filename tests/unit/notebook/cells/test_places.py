from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flyte_jupyter.notebook.cells.places import names_of, readable
from tests.unit.notebook.views import FAILURE, failed

TRACEBACK = """\
  File "/tmp/ipykernel_7/123.py", line 5, in bad
    return inner({})
  File "/tmp/ipykernel_6/999.py", line 2, in inner
    return json.loads(d)
  File "/usr/lib/json.py", line 9, in loads
"""


def shell() -> Any:
    known = {"/tmp/ipykernel_7/123.py": ("Cell", "In[6]")}
    return SimpleNamespace(compile=SimpleNamespace(format_code_name=known.get))


def test_cells_have_their_names() -> None:
    view = failed()
    view["actions"][0]["failures"]["0"] = {**FAILURE, "traceback": TRACEBACK}
    lines = readable(view, names_of(shell()))["actions"][0]["failures"]["0"]["traceback"].splitlines()
    expected = [
        "  Cell In[6], line 5, in bad",
        "  Cell, line 2, in inner",
        '  File "/usr/lib/json.py", line 9, in loads',
    ]
    assert expected == lines[::2]


def test_the_view_itself_stays_as_it_is() -> None:
    view = failed()
    readable(view, names_of(shell()))
    assert FAILURE == view["actions"][0]["failures"]["0"]


def failing(traceback: str, **more: str) -> dict[str, Any]:
    return {"actions": [{"failures": {"0": {"traceback": traceback, "frames": [["x"]], **more}}}]}


def traceback(made: dict[str, Any]) -> str:
    told: str = made["actions"][0]["failures"]["0"]["traceback"]
    return told


def test_no_text_has_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    shown = readable(
        {
            **failing('  File "/home/ada/x/helpers.py", line 3, in f\nOSError: /home/ada/data', message="/home/ada"),
            "logs": {"a0": {"printed": 1, "lines": [[0, 1.0, "stdout", "read /home/ada/data.csv"]]}},
            "inputs": {"path": "'/home/ada/in'", "other": "/home/adam /home/ada.bak /srv/home/ada"},
            "result": {"text": "PosixPath('/home/ada')", "html": "<b>/home/ada/</b>"},
        },
        lambda _: None,
    )
    assert "~/data.csv" in shown["logs"]["a0"]["lines"][0][3]
    assert {"path": "'~/in'", "other": "/home/adam /home/ada.bak /srv/home/ada"} == shown["inputs"]
    assert {"text": "PosixPath('~')", "html": "<b>~/</b>"} == shown["result"]
    assert 'File "~/x/helpers.py", line 3, in f\nOSError: ~/data' in traceback(shown)


def test_files_of_libraries_and_of_the_notebooks_folder_are_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [json.__file__, pytest.__file__, str(tmp_path / "sub" / "helpers.py"), "/srv/other.py"]
    told = traceback(readable(failing("".join(f'File "{name}", line 1\n' for name in files)), lambda _: None))
    found = [line.partition('"')[2].partition('"')[0] for line in told.splitlines()]
    assert ["json/__init__.py", "pytest/__init__.py", "sub/helpers.py", "/srv/other.py"] == found


def test_a_home_that_is_the_root_or_unknown_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert {"inputs": {"x": "/data"}, "actions": []} == readable({"inputs": {"x": "/data"}}, lambda _: None)
