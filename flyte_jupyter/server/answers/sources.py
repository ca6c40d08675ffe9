"""The code of tasks as it was sent, and what is different between a run and the one of its task before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...pack.call import code_of
from ...pack.envelope import PayloadError
from ...pack.written import written
from ...pods import ROOT
from ...sites import Site
from ...store import keys
from ..shapes.runs import Difference, Source


def sources(place: Site, run: str) -> list[Source]:
    """The task of a run and those that it can call; [] where nothing was sent, as for a result of the cache."""
    store = place.store
    actions = [ROOT, *(name for name in store.list(keys.actions(run))[:2] if name != ROOT)]  # a map itself has none
    for action in actions:
        try:
            digest = code_of(store.get(keys.inputs(run, action)))
            found = written(place.key, store.get(keys.code(digest)), digest=digest)
        except (KeyError, PayloadError):
            continue
        return [Source(name=name, text=text) for name, text in found]
    return []


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """What two records do not have alike: inputs, configuration, where they ran."""
    for name, (old, new) in _pairs(_said(before), _said(after)):
        if old != new:
            yield Difference(name=name, before=old, after=new)


def _said(record: Mapping[str, Any]) -> dict[str, str]:
    pod = record["pod"] or {}
    place = {"cluster": record.get("site") or ""} if record["mode"] == "remote" else {}
    python = {"python": pod["python"]} if pod.get("python") else {}
    inputs = {f"input {name}": text for name, text in record["inputs"].items()}
    return {**inputs, **{each["name"]: each["value"] for each in record["config"]}, **place, **python}


def _pairs(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    for name in {**after, **before}:
        yield name, (before.get(name), after.get(name))


def changed(before: list[Source], after: list[Source]) -> Iterator[Difference]:
    """The tasks whose code is another, with all of it, for a front end that shows what is different in it."""
    old, new = ({each["name"]: each["text"] for each in of} for of in (before, after))
    for name, (was, is_now) in _pairs(old, new):
        if was != is_now and old and new:
            yield Difference(name=f"code of {name}", before=was, after=is_now)
