"""Runs: a page of them, one in detail, its card; and how one is cancelled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from ..engine.run import Run
from ..errors import HostError, RunNotFoundError
from ..notebook.cards import card
from ..notebook.cells.places import cell_name, readable, without_home
from ..pods import Phase
from ..store import keys
from .here import Here
from .parameters import RunName, Within, Words
from .shapes.runs import Cancel, Card, Preview, Previous, RunDetail, RunPage, RunSummary, Setting, Source
from .sources import changed, differences, sources

_PAGE = 1000


def page(
    here: Here,
    offset: Annotated[int, Within(0, 10_000_000)] = 0,
    limit: Annotated[int, Within(1, _PAGE)] = 100,
    text: Annotated[str, Words(most=200)] = "",
    phase: Annotated[str, Words("phases, separated by commas", r"[a-z_,]*", 200)] = "",
    task: Annotated[str, Words(most=500)] = "",
    notebook: Annotated[str, Words(most=4096)] = "",
) -> RunPage:
    """Runs, the newest first: with a text in name, title or task, in one of these phases, of that task or notebook."""
    phases = set(filter(None, phase.split(",")))
    found = []
    for name in reversed(here.store.list(keys.RUNS)):
        try:
            made = summary(here.run(name), here.record(name), here.root)
        except RunNotFoundError:
            continue
        if (
            (not phases or made["phase"] in phases)
            and (not task or made["task"] == task)
            and (not notebook or made["notebook"] == notebook)
            and text.lower() in f"{made['name']} {made['title']} {made['task']}".lower()
        ):
            found.append(made)
    return RunPage(runs=found[offset : offset + limit], offset=offset, total=len(found))


def summary(run: Run, record: Mapping[str, Any], root: Path) -> RunSummary:
    """A run in a list."""
    view = run.view()
    first = next(action for action in view["actions"] if action["name"] == view["root"])
    history, phase = first["history"], view["phase"]
    counts: dict[str, int] = {}
    for of in view["tasks"].values():
        for name, number in of.items():
            counts[name] = counts.get(name, 0) + number
    is_over = Phase(phase).is_terminal
    known = record.get("notebook") or {}
    failures = list(first["failures"].values())
    return RunSummary(
        name=run.name,
        task=run.task_name,
        title=run.title,
        environment=(record.get("about") or {}).get("environment", ""),
        phase=phase,
        warning=view["warning"],
        reason=failures[-1]["message"].partition("\n")[0] if failures and is_over else first["reason"],
        created=run.created,
        began=next((at for name, at, *_ in history if name == "running"), None),
        ended=history[-1][1] if is_over and history else None,
        attempt=first["attempt"],
        is_cached=first["is_cached"],
        actions=counts,
        mode="remote" if run.mode == "remote" else "local",
        site=record.get("site") or "this machine",
        notebook=_within(known.get("path"), root),
        cell=known.get("cell"),
        kernel=_kernel(known.get("kernel")),
        trigger=(record.get("trigger") or {}).get("name"),
        can_rerun=bool(view["runs_again"]),
    )


def _within(path: str | None, root: Path) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return path


def _kernel(connection_file: str | None) -> str | None:
    return Path(connection_file).stem.removeprefix("kernel-") if connection_file else None


def detail(here: Here, run: RunName) -> RunDetail:
    """All that is known of a run and not of its actions."""
    found, record = here.run(run), here.record(run)
    view = found.view()
    about = record.get("about") or {}
    result = view["result"]
    source = sources(here.place(run), run)
    return RunDetail(
        summary=summary(found, record, here.root),
        description=about.get("description", ""),
        docs=about.get("docs", ""),
        inputs=view["inputs"],
        result=Preview(text=result["text"], html=result["html"]) if result else None,
        config=[Setting(name=each["name"], value=each["value"], level=each["level"]) for each in view["config"]],
        notes=view["notes"],
        links=[{"name": link["name"], "uri": link.get("uri")} for link in view["links"] or ()],
        commands=_card(found)["commands"],
        previous=_previous(here, record, source),
        source=source,
    )


def _previous(here: Here, record: Mapping[str, Any], source: list[Source]) -> Previous | None:
    """The run of the same task before a run, and what is different; None when it is the first."""
    before = here.before(record["run"], record["task"])
    if before is None:
        return None
    try:
        code = sources(here.place(before["run"]), before["run"])
    except HostError:  # in a cluster that is not there: the records say the rest
        code = []
    return Previous(run=before["run"], differences=[*differences(before, record), *changed(code, source)])


def card_of(here: Here, run: RunName) -> Card:
    """The card of a run as its notebook would show it now."""
    return _card(here.run(run))


def _card(run: Run) -> Card:
    view = readable({**run.view(), "reattached": False}, cell_name)
    made = without_home(card.bundle(view, now=time.time()))
    return Card(run=run.name, phase=view["phase"], html=made["text/html"], commands=made[card.MIME]["commands"])


def cancel(here: Here, run: RunName, body: Cancel) -> dict[str, Any]:
    """Stop a run and everything that it has called; answered when that is asked for."""
    here.run(run).cancel(body.get("reason", ""))
    return {}
