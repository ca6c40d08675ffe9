"""Every name in the store, computed; nothing else builds a key."""

from __future__ import annotations

import hashlib
import re

from ..errors import StoreError

RUNS = "runs/"
CACHE = "cache/"

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,120}")


def checked(key: str) -> str:
    """The key or prefix itself; every store asks. Raises `StoreError` for one that would lead out of the store."""
    if key.startswith("/") or ".." in key.split("/"):
        raise StoreError(f"{key!r} is not a key: keys are relative, without '..'.")
    return key


def code(digest: str) -> str:
    """A task's closure, by the digest of its bytes: sent once however often it is called."""
    return f"code/{digest}"


def image(digest: str) -> str:
    """What an image comes to on this machine."""
    return f"images/{digest}"


def file(digest: str) -> str:
    """A file that belongs to an image, by what is in it."""
    return f"files/{digest}"


def cached_of(task: str) -> str:
    """The folder of what is kept of a task's results."""
    name = task if _PLAIN.fullmatch(task) else hashlib.sha256(task.encode()).hexdigest()[:32]
    return f"{CACHE}{name}/"


def cached_for(task: str, inputs: str) -> str:
    """The folder of what is kept of its results for inputs of that digest."""
    return f"{cached_of(task)}{inputs}/"


def cached(task: str, inputs: str, version: str) -> str:
    """A result that is kept: of a task, for inputs, computed by a version of its code; the two as digests."""
    return f"{cached_for(task, inputs)}{version}"


def newest(task: str) -> str:
    """The folder of a name that tells which result of a task was kept last."""
    return f"{cached_of(task)}newest/"


def record(run: str) -> str:
    """What a run is: its task, configuration and inputs in words."""
    return f"runs/{run}/record.json"


def actions(run: str) -> str:
    """The folder of a run's actions."""
    return f"runs/{run}/actions/"


def inputs(run: str, action: str) -> str:
    return f"runs/{run}/actions/{action}/inputs"


def trigger(template: str) -> str:
    """The inputs of a trigger's runs, by the name of the run that stands for them until they have names."""
    return f"triggers/{template}"


def outcome(run: str, action: str) -> str:
    return f"runs/{run}/actions/{action}/outcome"


def kept(run: str, action: str) -> str:
    """What an action has returned, when that is kept for later calls too, or was kept from an earlier one."""
    return f"runs/{run}/actions/{action}/kept"


def status(run: str, action: str) -> str:
    """The events of an action that has ended."""
    return f"runs/{run}/actions/{action}/status.json"


def attempts(run: str, action: str) -> str:
    """How far an action is, for the next pod when one is lost."""
    return f"runs/{run}/actions/{action}/attempts.json"


def log(run: str, action: str, attempt: int) -> str:
    return f"runs/{run}/actions/{action}/log.{attempt}"


def vitals(run: str, action: str, attempt: int) -> str:
    """How far an attempt came, and what it used; only of one that showed something."""
    return f"runs/{run}/actions/{action}/vitals.{attempt}.json"


def report(run: str, action: str, attempt: int) -> str:
    """What the task has logged as its report."""
    return f"runs/{run}/actions/{action}/report.{attempt}.json"


def new_report(run: str, action: str, attempt: int) -> str:
    """The same as the attempt has written it; the Host puts it into its place."""
    return f"{report(run, action, attempt)}.new"


def as_file(key: str) -> str:
    """The key as the name of a file, or of an entry of a Secret."""
    return key.replace("_", "__").replace("/", "_-")


def of_file(name: str) -> str:
    """The key of such a name."""
    return re.sub(r"_([_-])", lambda found: "_" if found[1] == "_" else "/", name)
