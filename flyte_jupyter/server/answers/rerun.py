"""Runs that are run again: in a process of the Python that they had, since the server unpickles nothing."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import errors
from ...config.text import overrides
from ...errors import ConfigError, ConfigValueError, HostError
from ...home import HOME_VARIABLE
from ..shapes.parameters import RunName
from ..shapes.runs import Rerun, Started
from .here import Here

_WITHIN = 45.0
"""Seconds that it may take: proxies do not wait much longer for an answer."""
_STARTING = threading.Semaphore(4)


def rerun(here: Here, run: RunName, body: Rerun) -> Started:
    """Run it again, with the code and the inputs of then; answered when it is started."""
    override = body.get("override", "")
    if "\0" in override:
        raise ConfigValueError("override: there is a NUL character in it, which no argument of a process can have.")
    overrides(override)  # first: whoever made a mistake need not wait for a process
    record = here.record(run)
    if record["pod"] is None:
        raise ConfigValueError(f"{run} is a map as a whole, which cannot be run again: call it in its notebook.")
    pod: Mapping[str, Any] = record["pod"]
    words = [pod["python"], "-m", "flyte_jupyter", "rerun", run, "--json"]
    with _STARTING:
        said = _said(words + ([f"--override={override}"] if override else []), _folder(pod), _environ(here, pod))
    if "error" in said:
        kind = getattr(errors, said["kind"], ConfigError)
        raise (kind if issubclass(kind, ConfigError) else ConfigError)(said["error"])
    return Started(run=said["run"])


def _said(words: list[str], folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the process says. Raises `HostError` when it says nothing, or not soon."""
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # what ends the server does not end it half-way
        )
    except OSError as error:
        raise HostError(f"The Python of the run, {words[0]}, cannot be started: {error.strerror}.") from None
    try:
        out, err = process.communicate(timeout=_WITHIN)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.communicate, name="flyte-jupyter-rerun", daemon=True).start()
        raise HostError(
            "It takes long to be prepared, and is listed as soon as it has begun: an image may have to be built."
        ) from None
    try:
        said: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    except (ValueError, IndexError):
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise HostError(f"{words[0]} could not run it again: {last[0]}.") from None
    return said


def _folder(pod: Mapping[str, Any]) -> Path:
    folder = Path(pod.get("cwd") or Path.home())
    return folder if folder.is_dir() else Path.home()


def _environ(here: Here, pod: Mapping[str, Any]) -> dict[str, str]:
    """That of the server, with the import path that the run had."""
    path = os.pathsep.join(part for part in pod.get("path", ()) if part)
    return {**os.environ, "PYTHONPATH": path, HOME_VARIABLE: str(here.home.path)}
