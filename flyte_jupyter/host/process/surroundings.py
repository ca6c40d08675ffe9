"""What a task finds around it: environment variables, working directory, import path, secrets."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from ...config.values.secret import FOLDER_VARIABLE
from ...credentials.mask import Mask
from ...pods import PodRequest
from ..mounts import show
from .inside import Inside

_TEMPORARY = {"TMPDIR", "TEMP", "TMP"}


def receive(secrets: Mapping[str, Any]) -> tuple[dict[str, str], Mask]:
    """Variables for the secrets as the task wants them, and what keeps their values out of what is told of it."""
    variables = dict(secrets["env"])
    if secrets["folder"] is not None:
        variables[FOLDER_VARIABLE] = show(secrets["folder"])
    return variables, Mask(value for _, value in secrets["values"])


def enter(
    pod: PodRequest, attempt: int, environ: Mapping[str, str], secrets: Mapping[str, str], inside: Inside
) -> None:
    """The environment, folder and import path of the kernel or of the image: what differs is changed."""
    wanted = {**inside.environ(dict(environ)), **pod.env}
    wanted.update(RUN_NAME=pod.run, ACTION_NAME=pod.action, FLYTE_ATTEMPT_NUMBER=str(attempt), **secrets)
    changed = _set(wanted)
    if "TZ" in changed:
        time.tzset()
    if changed & _TEMPORARY:
        tempfile.tempdir = None  # it may be another folder now
    if folder := inside.folder(pod.cwd):
        os.chdir(folder)
    path = inside.path(pod.path, pod.cwd)
    if path != sys.path:
        sys.path[:] = path
    sys.argv = [pod.title]


def _set(wanted: Mapping[str, str]) -> set[str]:
    """Have these variables and no others; the names of those that were not so."""
    before = dict(os.environ)
    for name in before.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if before.get(name) != value:
            os.environ[name] = value
    return {name for name, _ in before.items() ^ wanted.items()}


def reseed() -> None:
    """Random numbers of libraries that were loaded before the fork: `random` does this itself."""
    for name, seed in (("numpy.random", "seed"), ("torch", "seed")):
        library = sys.modules.get(name)
        if library is not None:
            getattr(library, seed)()
