from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cells.places import names_of, readable, without_home
from tests.unit.notebook.views import FAILURE, T, failed, log, view

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


def test_no_bundle_has_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    made = card.bundle(
        view(
            logs={"a0": log("read /home/ada/data.csv")},
            inputs={"path": "'/home/ada/in'", "other": "/home/adam /home/ada.bak /srv/home/ada"},
            result={"text": "PosixPath('/home/ada')\n/home/ada", "html": None},
            notes=["/home/ada"],
        ),
        now=T,
    )
    shown = without_home(made)
    assert json.dumps(made).count("/home/ada") > 12
    assert 2 * ["'~/in'", "/home/adam /home/ada.bak /srv/home/ada"] == [
        *shown[card.MIME]["inputs"].values(),
        *without_home(shown)[card.MIME]["inputs"].values(),
    ]
    for kind, expected in (
        ("text/html", "~/data.csv"),
        ("text/plain", "~/data.csv"),
        ("text/html", "PosixPath(&#x27;~&#x27;)"),
    ):
        assert expected in shown[kind]
    assert "PosixPath('~')\n~" == shown[card.MIME]["result"]["text"]
    assert not re.search(r"(?<!/srv)/home/ada(?![m.])", json.dumps(shown))


@pytest.mark.parametrize("home", ["/home/a&b", "/home/ä", '/home/"q"'])
def test_whatever_it_is_called(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", home)
    shown = without_home(card.bundle(view(logs={"a0": log(f"{home}/data.csv")}), now=T))
    assert [True, True] == ["~/data.csv" in shown[kind] for kind in ("text/html", "text/plain")]
    assert ["~/data.csv"] == [line.rpartition("\t")[2] for line in shown[card.MIME]["logs"]["a0"]["lines"]]


def test_files_of_libraries_and_of_the_notebooks_folder_are_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [json.__file__, pytest.__file__, str(tmp_path / "sub" / "helpers.py"), "/srv/other.py"]
    told = traceback(readable(failing("".join(f'File "{name}", line 1\n' for name in files)), lambda _: None))
    found = [line.partition('"')[2].partition('"')[0] for line in told.splitlines()]
    assert ["json/__init__.py", "pytest/__init__.py", "sub/helpers.py", "/srv/other.py"] == found


def test_a_home_that_is_the_root_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert {"text/plain": "/data"} == without_home({"text/plain": "/data"})
