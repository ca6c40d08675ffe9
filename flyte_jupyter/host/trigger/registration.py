"""A trigger that was deployed, as it is kept: plain data, and the run that one firing of it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...config.plain import plain
from ...config.values.trigger import Automation, automation_of
from ...home import write_privately
from ...pack.call import Packed, reseal_inputs, seal_inputs
from ...pods import PodRequest, run_name
from ...store import Store, keys
from .due import Standing


@dataclass(frozen=True, kw_only=True)
class Registration:
    """All that is needed to start runs of a trigger, and nothing that has to be unpickled.

    Attributes:
        task: fully qualified name; name: of the trigger, within the task; description: of the trigger.
        automation: when it fires.
        host: which Host fires it; the others leave it alone.
        deployed: seconds since the epoch; version: of the task, in the user's words or the digest of its code.
        template: name of a run that never starts. Request, record and inputs are made for it, and a firing puts the
            real name in its place.
        pod: the request; record: the record; both as JSON.
        time_inputs: inputs that get the time; open_inputs: those whose values only an artifact brings.
        recall: how many seconds old a kept result may be that does instead of a run; None when none does.
        notes: what of the trigger is not done here.
        standing: what was fired and what was missed.
    """

    task: str
    name: str
    automation: Automation | None
    host: str
    deployed: float
    version: str
    template: str
    pod: Mapping[str, Any]
    record: Mapping[str, Any]
    description: str = ""
    time_inputs: tuple[str, ...] = ()
    open_inputs: tuple[str, ...] = ()
    recall: float | None = None
    notes: tuple[str, ...] = ()
    standing: Standing = field(default_factory=Standing)

    @property
    def id(self) -> str:
        """The same for the same trigger of the same task, however often it is deployed."""
        return id_of(self.task, self.name)

    @property
    def is_active(self) -> bool:
        return self.standing.activated is not None

    @property
    def session(self) -> str | None:
        """Under which name the Host keeps the environment variables of its runs."""
        labels: Mapping[str, str] = self.pod["labels"]
        return labels.get("session")

    def run_at(self, at: float) -> str:
        """The name of the run for a time; computed, so that firing twice for one time is harmless."""
        return run_name(int(at * 1000), hashlib.sha256(f"{self.id}{at}".encode()).hexdigest()[:10])

    def started(self, run: str, at: float, *, by_hand: bool) -> tuple[dict[str, Any], PodRequest]:
        """Record and request of a run for the time `at`, in seconds since the epoch."""
        record, pod = json.loads(json.dumps([self.record, self.pod]).replace(self.template, run))
        moment = datetime.fromtimestamp(at, timezone.utc).isoformat(" ", "seconds")
        record["inputs"].update(dict.fromkeys(self.time_inputs, moment))
        record["trigger"] = {"name": self.name, "at": at, "by_hand": by_hand}
        request = PodRequest.from_json(pod)
        labels = {**request.labels, "trigger": self.id}
        return record, replace(request, trigger_time=at, labels=labels, cache_since=since(self.recall, at))

    def start(
        self,
        store: Store,
        key: bytes,
        run: str,
        at: float,
        *,
        now: float,
        by_hand: bool = False,
        given: Packed | None = None,
        said: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> PodRequest:
        """Put record and inputs of such a run into the store; what is returned is ready to be launched.

        Args:
            given, said: inputs for this run alone, and what the record says of them; changes: of the request.

        Raises:
            StoreError, OSError: it cannot be written. KeyError, PayloadError: its inputs are gone, or damaged.
        """
        record, pod = self.started(run, at, by_hand=by_hand)
        pod = replace(pod, **changes)
        record["inputs"].update(said or {})
        if given is not None:
            inputs = seal_inputs(key, given, name=pod.name)
        else:
            inputs = reseal_inputs(key, store.get(keys.trigger(self.template)), template=self.template, name=pod.name)
        store.put(keys.record(run), [json.dumps({**record, "created": now}).encode()])  # first: a run has a record
        store.put(keys.inputs(run, pod.action), inputs)
        return pod

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "automation": plain(self.automation), "standing": self.standing.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Registration:
        given: dict[str, Any] = {name: tuple(data[name]) for name in ("time_inputs", "open_inputs", "notes")}
        given |= {"automation": automation_of(data["automation"]), "standing": Standing.from_json(data["standing"])}
        return cls(**{**data, **given})


def since(recall: float | None, at: float) -> float | None:
    """From when on kept results do for a run at that time; None when none does."""
    return max(0.0, at - recall) if recall is not None else None


def id_of(task: str, trigger: str) -> str:
    """Of a trigger, by the full name of its task and its own."""
    return hashlib.sha256(f"{task}\0{trigger}".encode()).hexdigest()[:16]


def save(folder: Path, registration: Registration) -> None:
    """Write it down, whole or not at all, for this user alone. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_privately(folder / f"{registration.id}.json", json.dumps(registration.to_json()))


def saved(folder: Path) -> Iterator[Registration]:
    """All that are written down; what cannot be read is not among them."""
    for path in sorted(folder.glob("*.json")):
        found = read(path)
        if found is not None:
            yield found


def is_deployed(folder: Path, task: str, trigger: str) -> bool:
    """Whether that trigger is written down."""
    return (folder / f"{id_of(task, trigger)}.json").exists()


def read(path: Path) -> Registration | None:
    """None when it is not there, or not a registration of this version."""
    try:
        return Registration.from_json(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
