"""What a cluster is asked for while nobody waits for the answer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...errors import HostError
from ...pods import Failure, Phase
from ...store import Store
from .action import Action
from .api import Api
from .carriage import hand_on
from .error import ApiError
from .known import with_end

_AT_A_TIME = 4
"""Requests at a time."""
_log = logging.getLogger("flyte_jupyter")


class Later:
    """Asks a cluster, a few things at a time; what it refuses is logged."""

    def __init__(self, api: Api, store: Store) -> None:
        self._api, self._store = api, store
        self._asking = ThreadPoolExecutor(_AT_A_TIME, "flyte-cluster")

    def __repr__(self) -> str:
        return f"<Later {self._api!r}>"

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, and what it owns."""
        self._ask(self._api.delete, kind, name)

    def end(self, job: str, phase: Phase, failure: Failure, *, keep: bool) -> None:
        """Have a Job start no more pods, and say how it has ended: others may watch it who have not seen why.

        Args:
            keep: whether it stays for its time, with the logs of its pods; else it is deleted.
        """
        self._ask(self._end, job, phase, failure, keep)

    def hand_on(self, action: Action) -> None:
        """Have the next pod know of the attempts of one that is lost, when it cannot read of them."""
        self._ask(self._hand_on, action)

    def close(self) -> None:
        """Ask for nothing more."""
        self._asking.shutdown(wait=False)

    def _end(self, job: str, phase: Phase, failure: Failure, keep: bool) -> None:
        over = {"spec": {"activeDeadlineSeconds": 1}} if keep else {}
        with contextlib.suppress(ApiError):  # who may not do that may still delete it
            self._api.patch("jobs", job, {**with_end(phase, failure), **over})
            if keep:
                return
        self._api.delete("jobs", job)

    def _hand_on(self, action: Action) -> None:
        hand_on(self._api, self._store, action.request, action.job)

    def _ask(self, ask: Callable[..., Any], *what: Any) -> None:
        def now() -> None:
            try:
                ask(*what)
            except HostError as error:
                if not (isinstance(error, ApiError) and error.is_missing):  # else it has gone meanwhile
                    _log.warning("%s", error)

        with contextlib.suppress(RuntimeError):  # closed
            self._asking.submit(now)
