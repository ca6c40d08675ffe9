"""Runs: a page of them, one in detail, its card; and how one is cancelled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, Union

from ...engine.record import as_written, told
from ...errors import HostError, StoreError
from ...notebook.cards import card
from ...notebook.cards.commands import commands_of
from ...notebook.cells.places import cell_name, readable, without_home
from ...pods import ROOT
from ..shapes.parameters import RunName, Within, Words
from ..shapes.runs import Cancel, Card, Command, NotebookRuns, Preview, Previous, RunDetail, RunPage, Setting, Source
from .actions import result_of
from .here import Here
from .sources import changed, differences, sources

_PAGE = 1000


def page(
    here: Here,
    offset: Annotated[int, Within(0, 10_000_000)] = 0,
    limit: Annotated[int, Within(1, _PAGE)] = 100,
    text: Annotated[str, Words(most=200)] = "",
    phase: Annotated[str, Words("phases, separated by commas", r"[a-z_,]*", 200)] = "",
    task: Annotated[str, Words(most=500)] = "",
    notebook: Annotated[Union[str, None], Words(most=4096)] = None,  # noqa: UP007 - evaluated on Python 3.10
) -> RunPage:
    """Runs, the newest first: with these words in name, task, notebook or reason, in one of these phases, of that task,
    of that notebook ("" for none).
    """
    phases = [each for each in phase.split(",") if each]
    return here.feed.page(offset, limit, text=text, phases=phases, task=task, notebook=notebook)


def notebooks(
    here: Here,
    text: Annotated[str, Words(most=200)] = "",
    phase: Annotated[str, Words("phases, separated by commas", r"[a-z_,]*", 200)] = "",
    task: Annotated[str, Words(most=500)] = "",
) -> list[NotebookRuns]:
    """The notebooks of the runs that `GET runs` would list, with how many there are of each; the last used first."""
    phases = [each for each in phase.split(",") if each]
    return here.feed.notebooks(text=text, phases=phases, task=task)


def detail(here: Here, run: RunName) -> RunDetail:
    """All that is known of a run and not of its actions."""
    record = here.record(run)
    view = _ended(here, record) or _view(here, run)
    about = record.get("about") or {}
    result = view["result"]
    source = _sources(here, run)
    return RunDetail(
        summary=here.feed.summary(run),
        description=about.get("description", ""),
        docs=about.get("docs", ""),
        inputs=view["inputs"],
        result=Preview(text=result["text"], html=result["html"]) if result else None,
        config=[Setting(name=each["name"], value=each["value"], level=each["level"]) for each in view["config"]],
        notes=view["notes"],
        links=[{"name": link["name"], "uri": link.get("uri")} for link in view["links"] or ()],
        commands=[Command(name=of["name"], label=of["label"], code=of["code"]) for of in commands_of(view)],
        previous=_previous(here, record, source),
        source=source,
    )


def _previous(here: Here, record: Mapping[str, Any], source: list[Source]) -> Previous | None:
    """The run of the same task before a run, and what is different; None when it is the first."""
    name = here.feed.before(record["run"], record["task"])
    if name is None:
        return None
    code = _sources(here, name)
    return Previous(run=name, differences=[*differences(here.record(name), record), *changed(code, source)])


def _sources(here: Here, run: str) -> list[Source]:
    try:
        return sources(here.place(run), run)
    except (HostError, StoreError):  # in a cluster that is not there: the record says the rest
        return []


def _ended(here: Here, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is told of a run by its first action alone, however many it has called; None while that goes on."""
    run = record["run"]
    try:
        state = here.first_action(run)
    except (HostError, StoreError):
        return None
    root = None if state is None else state.get(ROOT)
    if state is None or root is None or (root.failure is not None and root.failure.code == "OOMError"):
        return None  # whose memory it was that has run out, the others tell
    happened = state.view()
    return {**happened, **told(record, happened), "result": result_of(here, run, root)}


def _view(here: Here, run: str) -> dict[str, Any]:
    """What its card shows; of one whose cluster does not answer, what was written down."""
    try:
        return here.run(run).view()
    except (HostError, StoreError) as error:
        return as_written(here.record(run), f"it may go on: {error}")


def card_of(here: Here, run: RunName) -> Card:
    """The card of a run as its notebook would show it now."""
    view = readable({**_view(here, run), "reattached": False}, cell_name)
    made = without_home(card.bundle(view, now=time.time()))
    return Card(run=run, phase=view["phase"], html=made["text/html"], commands=made[card.MIME]["commands"])


def cancel(here: Here, run: RunName, body: Cancel) -> dict[str, Any]:
    """Stop a run and everything that it has called; answered when that is asked for."""
    here.run(run).cancel(body.get("reason", ""))
    return {}
