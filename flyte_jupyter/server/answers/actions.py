"""Actions of runs: all of them in rows, and one with its attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.action import Action
from ...notebook.cards.commands import resources_of
from ...notebook.cells.places import cell_name, readable, without_home
from ...pack.envelope import PayloadError
from ...pack.outcome import unseal_outcome
from ...pods import ROOT, Phase, pod_name
from ...report import page as document
from ...store import keys
from ..feed.summaries import row
from ..shapes.actions import ActionDetail, ActionRow, Failure, Report, Sample, Tab
from ..shapes.actions import Attempt as Told
from ..shapes.parameters import ActionName, Attempt, RunName
from ..shapes.runs import Link, Preview
from .here import Here

_LIMITS = {"cpu": "cpu_limit", "memory": "memory_limit"}
_ASKED = ("cpu", "memory", "gpu", "disk", "shm")


def rows(here: Here, run: RunName) -> list[ActionRow]:
    """All actions of a run, the first one first, the others as they began."""
    return here.feed.actions(run)


def detail(here: Here, run: RunName, action: ActionName) -> ActionDetail:
    """One action: its attempts, what it asks for, where it is, why it waits or has failed."""
    it, record = here.action(run, action), here.record(run)
    pod = record["pod"] if action == ROOT else None
    asked = (pod or {}).get("resources") or it.asked
    return ActionDetail(
        row=row(it),
        attempts=[_attempt(here, run, it, number) for number in range(it.attempt + 1)],
        requests={name: asked[name] for name in _ASKED if asked.get(name) is not None},
        limits={name: asked[limit] for name, limit in _LIMITS.items() if asked.get(limit) is not None},
        inputs=dict(record["inputs"]) if action == ROOT else here.said_of_inputs(run, action),
        result=result_of(here, run, it),
        notes=[*(record["notes"] if action == ROOT else ()), *it.notes],
        links=[Link(name=link["name"], uri=link.get("uri")) for link in it.links or (pod or {}).get("links") or ()],
        cache=it.cache,
        replica=it.replica,
        pod=it.pod,
        peak_memory=it.peak_memory,
        explanation=explanation(it),
    )


def _attempt(here: Here, run: str, it: Action, number: int) -> Told:
    began = [at for phase, at, attempt, _ in it.history if attempt == number and phase is not Phase.QUEUED]
    after = [at for phase, at, attempt, _ in it.history if attempt > number or phase.is_terminal]
    failure, vitals = it.failures.get(number), it.vitals.get(number)
    _, printed, _ = here.lines.page(
        here.place(run).store, keys.log(run, it.name, number), 0, 0, is_over=lambda: it.phase.is_terminal
    )
    return Told(
        number=number,
        began=began[0] if began else None,
        ended=after[0] if after else None,
        failure=_failure(it, number) if failure is not None else None,
        printed=max(printed, it.printed.get(number, 0)),
        samples=[Sample(at=s.at, cores=s.cores, memory=int(s.memory)) for s in (vitals.samples if vitals else ())],
        report=bool(vitals and vitals.report),
    )


def _failure(it: Action, number: int) -> Failure:
    """As cards show it: cells by the names that people know, without the home of the user."""
    view = readable({"actions": [{"failures": {"": it.failures[number].to_json()}}]}, cell_name)
    found: Mapping[str, Any] = without_home({"": view["actions"][0]["failures"][""]})[""]
    trace = f"{found.get('cause') or ''}{found.get('traceback') or ''}"
    return Failure(code=found["code"], kind=found["kind"], message=found["message"], traceback=trace)


def result_of(here: Here, run: str, it: Action) -> Preview | None:
    """What its outcome says of its value, which stays as it is."""
    if it.phase is not Phase.SUCCEEDED:
        return None
    place = here.place(run)
    try:
        sealed = place.store.get(keys.outcome(run, it.name))
        found = unseal_outcome(place.key, sealed, worker=pod_name(run, it.name)).preview
    except (KeyError, PayloadError):  # of a run of another key: the value is lost, not the sight of the action
        return None
    return Preview(text=found["text"], html=found["html"]) if found else None


def explanation(it: Action) -> str:
    """Why an action is pending or has failed, in sentences, or what is wrong while it runs; "" when nothing is."""
    failure = it.failure
    failed = "" if failure is None else f"{failure.code}: {failure.message}"
    if it.phase.is_terminal:
        return failed
    said = [_sentence(it.reason)] if it.reason else []
    if it.phase is Phase.RUNNING:
        return "".join(said)
    if (most := resources_of(it.instead)) is not None:
        said.append(f"The most that there is: {most!r}.")
    if failed:
        said.append(f"Attempt {it.attempt} has failed. {failed}")
    return "\n".join(said) or _WAITS[it.phase]


_WAITS = {
    Phase.QUEUED: "It is about to be started.",
    Phase.WAITING_FOR_RESOURCES: "It waits until what it asks for is free.",
    Phase.INITIALIZING: "Its process is being prepared.",
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def report(here: Here, run: RunName, action: ActionName, attempt: Attempt = None) -> Report:
    """What a task has logged as its report, each tab a whole document."""
    it = here.action(run, action)
    number = it.attempt if attempt is None else attempt
    found = here.run(run).get_report(number, action=action)
    return Report(
        attempt=number,
        tabs=[Tab(title=name, document=document(name, {name: content})) for name, content in found.tabs.items()],
    )
