from __future__ import annotations

import pytest

from tests.server.conftest import Server

pytestmark = pytest.mark.one_host


def test_cells_of_a_notebook_are_read(server: Server) -> None:
    sources = ["%flyte_env prep --cpu 1", "%%flyte_task --env prep --bogus\nx = 1"]
    given = [{"id": str(number), "source": source} for number, source in enumerate(sources)]
    cells = server.post("cells", {"cells": given})["cells"]
    assert [["prep"], ["prep.cell"]] == [[one["name"] for one in cell["declared"]] for cell in cells]
    assert [(0, 24, 31)] == [(one["line"], one["start"], one["end"]) for one in cells[1]["problems"]]


def test_nothing_but_cells_is_taken(server: Server) -> None:
    status, data, _ = server.fetch("flyte-jupyter/cells", body={"cells": [{"id": "1"}]})
    assert (400, True) == (status, b"lacks 'source'" in data)
