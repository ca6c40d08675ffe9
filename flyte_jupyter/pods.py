"""What is asked of whatever starts processes or pods, and what it reports: plain data, JSON on every wire."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from .vitals import VitalsEvent


class Phase(str, enum.Enum):
    """Where an action stands; the names are Flyte's."""

    QUEUED = "queued"
    WAITING_FOR_RESOURCES = "waiting_for_resources"
    INITIALIZING = "initializing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    TIMED_OUT = "timed_out"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL


ROOT = "a0"
"""The name of the first action of a run."""
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
"""Of the names of runs."""
_TERMINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED, Phase.TIMED_OUT})


class SecretRef(NamedTuple):
    """A secret of an attempt, by name: its key and group, the environment variable that holds it, whether it is a file
    too.
    """

    key: str
    group: str | None
    env_var: str | None
    mounted: bool

    @property
    def title(self) -> str:
        """As in `Secret.title`; also where its file is in the folder of mounted secrets."""
        return f"{self.group}/{self.key}" if self.group else self.key


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What an attempt asks of the machine, in plain numbers; None is what it does not ask for.

    Attributes:
        cpu, cpu_limit: cores asked for, and the most that it may use.
        memory, memory_limit: bytes asked for, and the most that it may use.
        gpu: accelerators; 0 for none to be seen.
        device: their class, such as "GPU" or "AMD_GPU"; model: such as "A100", "" for any; partition: of each.
        disk: bytes of scratch space; shm: bytes of /dev/shm, 0 for as much as the memory allows.
    """

    cpu: float | None = None
    cpu_limit: float | None = None
    memory: int | None = None
    memory_limit: int | None = None
    gpu: int | None = None
    device: str = "GPU"
    model: str = ""
    partition: str = ""
    disk: int | None = None
    shm: int | None = None

    @property
    def most_cores(self) -> float | None:
        """The most it may use on one machine, where what is asked for is also the limit unless one was given."""
        return (self.cpu_limit if self.cpu_limit is not None else self.cpu) or None

    @property
    def most_memory(self) -> int | None:
        """The same in bytes."""
        return (self.memory_limit if self.memory_limit is not None else self.memory) or None

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """As `to_json` gives it with other values, without the limits of these; None where none is another."""
        same = {name: value for name, value in self.to_json().items() if name.removesuffix("_limit") not in values}
        return {**same, **values} if values else None

    def to_json(self) -> dict[str, Any]:
        """What differs from asking for nothing."""
        return {name: value for name, value in vars(self).items() if value != getattr(_NOTHING, name)}


_NOTHING = Requirements()


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """The pool of warm processes that an attempt runs in: its `ReusePolicy`, in plain numbers.

    Attributes:
        environment: whose pool it is.
        least, most: replicas; concurrency: calls at a time in each.
        idle_ttl, scaledown_ttl: seconds. per_run: whether each run has a pool of its own.
    """

    environment: str
    least: int
    most: int
    concurrency: int = 1
    idle_ttl: float = 30.0
    scaledown_ttl: float = 30.0
    per_run: bool = False


@dataclass(frozen=True, kw_only=True)
class PodRequest:
    """One action to run: everything the Host needs, and nothing that has to be unpickled.

    Attributes:
        run: name of the run; action: name of the action in it; parent: the action that called it, None for the first.
        task: fully qualified task name; title: what people see (`short_name`).
        labels: what a watch selects by.
        env: environment variables of the attempts; secrets: what they need, by name; the values go another way.
        retries: attempts allowed after the first failed one.
        backoff: (base seconds, factor, cap seconds) between attempts, None for at once.
        max_runtime, max_queued_time, deadline: seconds, None for no bound (Flyte's `Timeout`).
        resources: what an attempt asks of the machine; queue: that it waits in, None for none.
        python: the interpreter; cwd and path: working directory and `sys.path` of the attempts.
        preload: modules worth importing before the fork.
        files: for clusters, the digest of the list of the files that go along, "" for none; see `store.included`.
        packages: for clusters, what has to be in the image: by module the requirement that brings it as the caller has
            it, "" where none does, and "python" with its version.
        store: URL of the store that holds the call and takes the outcome.
        options: what holds for all actions of the run, as `RunOptions.to_json` gives it; for the tasks that it calls.
        image: digest of the recipe of what it runs in, None for the environment of the one who calls.
        reuse: the pool that it runs in, None for processes of its own.
        interruptible, service_account: for runners of clusters.
        template: the pod to start from, for runners of clusters: {"name": ...} of one that is there, or {"podSpec",
            "primary", "labels", "annotations"} in Kubernetes' own spelling; None for an empty one.
        calls: whether its code reaches other tasks, so that it may start pods itself.
        image_uri: the container image that it runs in, "" for the cluster's default one.
        cluster: where it runs, as `Cluster.to_json` gives it, for what it calls; None for this machine.
        trigger_time: for inputs that are `TriggerTime`, in seconds since the epoch; None when no trigger started it.
        links: to elsewhere, each {"name": ..., "uri": ...}, or {"name": ..., "problem": why there is none}.
        cache_key: where a success is kept for later calls, "" when it is not.
        cache: why it runs although its task is cached, for people; "" when it is not.
        cache_since: for one that waits while another of the same `cache_key` runs, and takes what was kept since then
            (seconds since the epoch); None for one that runs whatever others do.
        inline_limit: bytes that its outputs may have when they are passed by value, 0 for no bound.
    """

    run: str
    action: str
    task: str
    title: str
    store: str
    python: str
    parent: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[SecretRef, ...] = ()
    retries: int = 0
    backoff: tuple[float, float, float] | None = None
    max_runtime: float | None = None
    max_queued_time: float | None = None
    deadline: float | None = None
    resources: Requirements = _NOTHING
    queue: str | None = None
    cwd: str = ""
    path: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    files: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    image: str | None = None
    reuse: Reuse | None = None
    interruptible: bool = False
    service_account: str | None = None
    template: Mapping[str, Any] | None = None
    calls: bool = False
    image_uri: str = ""
    cluster: Mapping[str, Any] | None = None
    trigger_time: float | None = None
    links: tuple[Mapping[str, str], ...] = ()

    cache_key: str = ""
    cache: str = ""
    cache_since: float | None = None
    inline_limit: int = 0

    @property
    def session(self) -> str | None:
        """The name of the kernel that began the run, None when nobody said it."""
        return self.labels.get("session")

    @property
    def name(self) -> str:
        """See `pod_name`."""
        return pod_name(self.run, self.action)

    @property
    def caller(self) -> str | None:
        """The name of the pod whose task called this one; None for the first of a run."""
        return pod_name(self.run, self.parent) if self.parent is not None else None

    def event(self, phase: Phase, *, at: float, **more: Any) -> PodEvent:
        """That the action has reached a phase; `more` is the rest of the event."""
        who = {name: getattr(self, name) for name in ("run", "action", "parent", "task", "title")}
        return PodEvent(**who, phase=phase, at=at, **more)

    def recalled(self, *, at: float) -> PodEvent:
        """The only event of an action whose result was kept from an earlier call."""
        return self.event(Phase.SUCCEEDED, at=at, links=self.links, is_cached=True, cache=self.cache)

    def to_json(self) -> dict[str, Any]:
        reuse = vars(self.reuse) if self.reuse is not None else None
        return {**vars(self), "resources": self.resources.to_json(), "reuse": reuse}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PodRequest:
        backoff = data.get("backoff")
        known: dict[str, Any] = {name: tuple(data.get(name, ())) for name in ("path", "preload", "links")}
        known["resources"] = Requirements(**data.get("resources", {}))
        known["reuse"] = Reuse(**data["reuse"]) if data.get("reuse") else None
        known["secrets"] = tuple(SecretRef(*ref) for ref in data.get("secrets", ()))
        return cls(**dict(data, **known, backoff=tuple(backoff) if backoff is not None else None))


def pod_name(run: str, action: str) -> str:
    """Computed from run and action, so that launching twice is harmless."""
    return f"{run}-{action}"


def run_name(milliseconds: int, unique: str) -> str:
    """The name of a run that begins then: later runs have later names, until the year 5188."""
    digits = ""
    while milliseconds:
        milliseconds, digit = divmod(milliseconds, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return f"r{digits.rjust(9, '0')}{unique}"


def is_run_name(text: str) -> bool:
    """Whether it may be one that `run_name` has made."""
    return len(text) == 15 and text[0] == "r" and set(text) <= set(ALPHABET)


class FrameName(NamedTuple):
    """A frame of a traceback: where it was, and where its function begins; 0 when that is not known."""

    file: str
    line: int
    function: str
    first_line: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt or an action failed.

    Attributes:
        code: Flyte's code: the name of the exception's class, or what happened to the process.
        kind: "user", "system" or "unknown".
        message: one or a few lines.
        traceback: the user's frames as text, "" when there are none.
        frames: the user's frames, outermost first.
        recoverable: False when another attempt would fail too.
        cause: the exceptions that led to it as Python prints them, "" when there are none.
    """

    code: str
    kind: str
    message: str
    traceback: str = ""
    frames: tuple[FrameName, ...] = ()
    recoverable: bool = True
    cause: str = ""

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Failure:
        return cls(**dict(data, frames=tuple(FrameName(*frame) for frame in data.get("frames", ()))))


@dataclass(frozen=True, kw_only=True)
class PodEvent:
    """An action reached a phase.

    Attributes:
        at: seconds since the epoch; attempt: counted from 0.
        failure: why, with phases failed, aborted and timed_out, and with queued when an attempt is to be repeated.
        retry_in: seconds until the next attempt starts, only with queued.
        peak_memory: bytes, of the attempt that ended, where known.
        step: what is done within the phase, in a word such as "image"; "" for what the phase itself says.
        reason: why it waits or what is being done, one line for people.
        notes: what the attempt asks for and does not get, or not quite so, one line each.
        pod: the pod of a cluster that it runs in; "" where there is none.
        replica: which replica of which pool it runs in, for people; "" for a process of its own.
        links: those of the request, only with queued.
        is_cached: whether the result was kept from an earlier call, so that nothing ran.
        cache: where it is from, or why it runs although its task is cached, for people.
        instead: all that it could ask for, as `Requirements.to_json`, where it asks for more than there is.
        asked: what it asks for, in the same form, only with queued; None for nothing.
    """

    run: str
    action: str
    parent: str | None
    task: str
    title: str
    phase: Phase
    at: float
    attempt: int = 0
    failure: Failure | None = None
    retry_in: float | None = None
    peak_memory: int | None = None
    step: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    pod: str = ""
    replica: str = ""
    links: tuple[Mapping[str, str], ...] = ()
    is_cached: bool = False
    cache: str = ""
    instead: Mapping[str, Any] | None = None
    asked: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        said = {name: value for name, value in vars(self).items() if value not in (None, "", ()) and value is not False}
        return {**said, "failure": self.failure.to_json()} if self.failure is not None else said

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PodEvent:
        failure = data.get("failure")
        known = dict(data, phase=Phase(data["phase"]), failure=Failure.from_json(failure) if failure else None)
        lists = {name: tuple(data.get(name, ())) for name in ("links", "notes")}
        return cls(**{"parent": None, **known, **lists})


def history_as_bytes(events: Iterable[PodEvent]) -> bytes:
    """What is kept of an action that has ended: every phase, in the order they happened."""
    return json.dumps([event.to_json() for event in events]).encode()


def history_of(data: bytes | memoryview) -> list[PodEvent]:
    """The same, read back."""
    return [PodEvent.from_json(event) for event in json.loads(bytes(data))]


@dataclass(frozen=True, kw_only=True)
class LogEvent:
    """Lines that an attempt printed: (seconds since the epoch, "stdout" or "stderr", text without line end).

    Attributes:
        start: the number of the first of these lines within the attempt's log, from 0.
        unfinished: by stream, what its last line is so far, or lines that may still be written over.
    """

    run: str
    action: str
    attempt: int
    start: int
    lines: tuple[tuple[float, str, str], ...]
    unfinished: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LogEvent:
        lines = tuple((at, stream, text) for at, stream, text in data["lines"])
        return cls(**dict(data, lines=lines))


Event: TypeAlias = PodEvent | LogEvent | VitalsEvent


@dataclass(frozen=True)
class Synced:
    """A watch has told all that was there when it began; what follows is news."""
