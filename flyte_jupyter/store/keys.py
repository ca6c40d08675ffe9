"""Every name in the store, computed; nothing else builds a key."""

from __future__ import annotations

from ..errors import StoreError

RUNS = "runs/"


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


def status(run: str, action: str) -> str:
    """The events of an action that has ended."""
    return f"runs/{run}/actions/{action}/status.json"


def log(run: str, action: str, attempt: int) -> str:
    return f"runs/{run}/actions/{action}/log.{attempt}"
