"""What there is besides runs: environments, pools, queues, triggers; and what can be done with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any

from ...config.queues import QueueSettings, parse_settings
from ...config.words import in_words
from ...errors import ConfigValueError, HostError, RunNotFoundError
from ...home import Home
from ...host.client import connect, connect_or_start
from ...host.trigger import registration
from ...host.trigger.due import next_time
from ...host.trigger.registration import Registration
from ...pods import Phase
from ...pruning import prune as prune_runs
from ...sites import remote_settings
from ...warm import Pool as Warm
from ..shapes.machine import ChangeTrigger, Environment, Pool, Prune, Pruned, Queue, Replica, Trigger
from ..shapes.parameters import Words
from .here import Here

_ANSWER_WITHIN = 2.0
_MOST_DAYS = 36_500
PoolId = Annotated[str, Words("the id of a pool", r"[0-9a-f]{1,16}\.pool[0-9]{1,9}-.{1,500}", 600)]
TriggerId = Annotated[str, Words("the id of a trigger", r"[0-9a-f]{16}")]


def environments(here: Here) -> list[Environment]:
    """Environments that runs were of, the last used first."""
    warm = [told["environment"] for _, told in _pools(here)]
    made: dict[str, Environment] = {}
    for used in here.feed.used():
        try:
            last = here.feed.summary(used.last)["created"]
        except RunNotFoundError:  # it was just deleted
            continue
        of = made.setdefault(
            used.environment,
            Environment(name=used.environment, tasks=[], runs=0, last=last, pools=warm.count(used.environment)),
        )
        of["tasks"].append(used.task)
        of["runs"] += used.runs
    return list(made.values())


# --- what Hosts have --------------------------------------------------------------------------------------------------


def pools(here: Here) -> list[Pool]:
    """The warm processes of all Hosts of this user."""
    return [_pool(host, told) for host, told in _pools(here)]


def _pools(here: Here) -> Iterator[tuple[Home, dict[str, Any]]]:
    for host, answer in _told_by_hosts(here, {"op": "pools"}):
        yield from ((host, told) for told in answer["pools"])


def _pool(host: Home, told: dict[str, Any]) -> Pool:
    found = Warm(told)
    return Pool(
        id=f"{host.host}.{told['id']}",
        environment=found.environment,
        about=found.about(),
        most=told["policy"]["most"],
        waiting=found.waiting,
        served=found.served,
        replicas=[
            Replica(
                number=each.number,
                pid=each.pid,
                calls=each.calls,
                served=each.served,
                memory=each.memory,
                age=each.age,
                idle=each.idle,
            )
            for each in found.replicas
        ],
    )


def shutdown(here: Here, id: PoolId) -> dict[str, Any]:
    """End the processes of a pool: idle ones now, busy ones with their last call."""
    host, _, name = id.partition(".")
    answer = _asked(Home(here.home.path, host), {"op": "shutdown_pool", "id": name})
    if answer is None or answer["op"] == "refused":
        raise RunNotFoundError("That pool has ended.")
    return {}


def queues(here: Here) -> list[Queue]:
    """The queues of this machine, as far as they are set up or were used; and those that lead to clusters."""
    counted: dict[str, Queue] = {}
    for _, answer in _told_by_hosts(here, {"op": "queues"}):
        if answer["op"] == "wrong":
            raise ConfigValueError(answer["reason"])
        for told in answer["queues"]:
            of = counted.setdefault(told["name"], _queue(told["name"], told["concurrency"]))
            of["running"] += told["running"]
            of["waiting"] += told["waiting"]
    for name, number in _settings(here).concurrency.items():
        counted.setdefault(name, _queue(name, number))
    there = remote_settings(here.home.settings).queues
    for name, cluster in there.items():
        counted[name] = _queue(name, None, cluster.title)
    if there:
        _count(here, counted)
    return sorted(counted.values(), key=lambda queue: queue["name"])


def _queue(name: str, concurrency: int | None, cluster: str = "") -> Queue:
    return Queue(name=name, concurrency=concurrency, running=0, waiting=0, cluster=cluster)


def _count(here: Here, counted: dict[str, Queue]) -> None:
    """The runs in clusters by their queues, as far as they are known to be open."""
    for name in here.home.remote_runs():
        try:
            queue = ((here.record(name)["pod"] or {}).get("queue")) or ""
            phase = Phase(here.feed.summary(name)["phase"])
        except RunNotFoundError:
            continue
        if queue in counted and counted[queue]["cluster"] and not phase.is_terminal:
            counted[queue]["running" if phase is Phase.RUNNING else "waiting"] += 1


def _settings(here: Here) -> QueueSettings:
    try:
        return parse_settings(here.home.settings.read_text(), here.home.settings)
    except FileNotFoundError:
        return QueueSettings()


def _told_by_hosts(here: Here, message: dict[str, Any]) -> Iterator[tuple[Home, dict[str, Any]]]:
    """The answers of all Hosts that run; one that does not answer is left out."""
    for host in here.home.hosts():
        try:
            answer = _asked(host, message)
        except HostError:
            continue
        if answer is not None:
            yield host, answer


def _asked(host: Home, message: dict[str, Any], *, starts: bool = False) -> dict[str, Any] | None:
    """The answer of a Host; None when it does not run. Raises `HostError` when it does not answer."""
    channel = connect_or_start(host) if starts else connect(host, _ANSWER_WITHIN)
    if channel is None:
        return None
    with closing(channel):
        channel.socket.settimeout(_ANSWER_WITHIN)
        try:
            channel.send(message)
            return channel.receive()
        except OSError:
            raise HostError(f"The local Host does not answer; its log is {host.log}.") from None


# --- triggers ---------------------------------------------------------------------------------------------------------


def triggers(here: Here) -> list[Trigger]:
    """The triggers that were deployed on this machine, by whichever kernel."""
    found = sorted(registration.saved(here.home.triggers), key=lambda each: (each.task, each.name))
    return [_trigger(here, each) for each in found]


def _trigger(here: Here, it: Registration) -> Trigger:
    why_not = it.standing.problem or _why_not(here, it)
    return Trigger(
        id=it.id,
        name=it.name,
        task=it.task,
        about=in_words(it.automation),
        is_active=it.is_active,
        next=None if why_not else next_time(it.automation, it.standing, time.time()),
        last=it.standing.fired,
        last_run=it.standing.run or None,
        why_not=why_not,
    )


def _why_not(here: Here, it: Registration) -> str:
    """Why the clock does not fire it now, "" when it does, or when none is to."""
    if it.automation is None:
        return ""
    if not it.is_active:
        return "It is not active."
    if not here.home.is_served(it.host):
        return f"Its Host does not run: it starts with the next use of flyte_jupyter in {it.pod['python']}."
    return ""


def change(here: Here, id: TriggerId, body: ChangeTrigger) -> dict[str, Any]:
    """Activate or deactivate a trigger, or delete it; runs that it has started go on."""
    path = here.home.triggers / f"{id}.json"
    it = registration.read(path)
    if it is None:
        raise RunNotFoundError("There is no such trigger; it may have been deleted.")
    host = Home(here.home.path, it.host)
    answer = _asked(host, {"op": "trigger", "id": id, "do": body["do"]}, starts=it.host == here.home.host)
    if answer is None and body["do"] == "delete":  # its Host looks there before it fires
        path.unlink(missing_ok=True)
    elif answer is None:
        raise HostError(f"{_why_not(here, it) or 'Its Host does not run.'} Then it can be changed.")
    elif answer["op"] != "ok":
        raise HostError(f"The local Host refused: {answer.get('reason', 'it does not say why')}.")
    return {}


# --- the past ---------------------------------------------------------------------------------------------------------


def prune(here: Here, body: Prune) -> Pruned:
    """Delete runs that ended more than so many days ago, or only say which."""
    if not 0 <= body["days"] <= _MOST_DAYS:
        raise ConfigValueError(f"days: {body['days']} is not a number from 0 to {_MOST_DAYS}.")
    found = prune_runs(body["days"], dry_run=body.get("dry_run", False), home=here.home)
    return Pruned(runs=list(found.runs), bytes=found.bytes)
