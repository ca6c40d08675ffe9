"""Why an action does not start: what the cluster has told of it, and what it is asked for that."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import reasons
from .action import Action
from .api import Api
from .known import ClusterEvents
from .kueue import Place, Places
from .room import Rooms

_AGAIN = 10.0
"""Seconds between two looks at a place in a queue, which no news tells of."""


class Why:
    """Of all actions that a watch tells of.

    Args:
        look: has an action looked at again then, in seconds since the epoch.

    Attributes:
        told: the events of the cluster about them.
    """

    def __init__(self, api: Api, look: Callable[[float, Action], None]) -> None:
        self.told = ClusterEvents()
        self._rooms = Rooms(api)
        self._places = Places(api)
        self._look = look

    def __repr__(self) -> str:
        return f"<Why {self.told!r}>"

    def reason(self, action: Action, pod: Mapping[str, Any] | None) -> reasons.Reason | None:
        """Why a pod of it does not start, or why it has none; None when there is nothing to say."""
        where = functools.partial(self._place, action)
        told = self.told.about(*([action.job] if pod is None else [pod, action.job]))
        return reasons.of(pod, told, action.job, rooms=self._rooms, place=where)

    def _place(self, action: Action) -> Place:
        """Where it stands in its queue; looked at again in a while."""
        if action.again_at < time.time():
            action.again_at = time.time() + _AGAIN
            self._look(action.again_at, action)
        return self._places(action.job)
