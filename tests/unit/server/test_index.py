"""What the index keeps is what the API tells, so that another form of it needs a file of its own."""

from __future__ import annotations

import zlib
from typing import get_type_hints

from flyte_jupyter.engine import journal
from flyte_jupyter.server.shapes.actions import ActionRow, Stretch
from flyte_jupyter.server.shapes.runs import RunSummary


def test_another_form_of_the_index_has_another_version() -> None:
    """When this fails, count `journal._VERSION` on: an index of now would give answers that lack something."""
    fields = [sorted(get_type_hints(kept)) for kept in (RunSummary, ActionRow, Stretch)]
    form = zlib.crc32(repr([fields, journal._TABLES]).encode())
    assert (1, 3283325857) == (journal._VERSION, form)
