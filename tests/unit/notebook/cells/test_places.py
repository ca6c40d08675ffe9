from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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
