"""A Host as those see it who look on: they watch and stop what is there, and never start a Host."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from ..errors import HostError
from ..home import Home
from ..host import notes
from ..host.client import call, connect, reach
from ..host.lifecycle import aborted
from ..host.shelf import end
from ..pods import Event, Phase, PodEvent, PodRequest, Synced
from ..store import open_store
from .watches import Watches

_ANSWER_WITHIN = 2.0
_LOOK_AGAIN = 0.25
"""Seconds between two looks for the next Host, when one has died that had something open."""


class Onlooker:
    """Talks to one of the Hosts of a state folder, whatever copy of the package it is of.

    Args:
        where: the folder, with the Host that has the run; it is asked each time, since another one may go on with it.
        run: that is looked at.
    """

    def __init__(self, where: Callable[[], Home], run: str) -> None:
        self._where = where
        self._run = run
        self._watches = Watches()
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<Onlooker {self._run} [{len(self._watches)} watches]>"

    @property
    def nothing_left(self) -> str:
        return "It is not open any more and has left no outcome: it was not accepted, or its files are gone."

    def watch(self, labels: Mapping[str, str]) -> Iterator[Event | Synced]:
        """As every runner does. Without a Host it tells what waits for the next one, and ends when that is there."""
        self._closed.clear()
        channel = connect(self._where(), _ANSWER_WITHIN)
        if channel is None:
            yield from self._wait()
            return
        yield from self._watches.events(channel, {"op": "watch", "labels": dict(labels), "looks_on": True})

    def _wait(self) -> Iterator[Event | Synced]:
        waiting = notes.waiting(self._where().open_pods, self._run)
        yield from waiting
        yield Synced()
        while not self._closed.wait(_LOOK_AGAIN):
            home = self._where()
            if waiting and not notes.waiting(home.open_pods, self._run):
                return
            if (channel := reach(home, 0.0)) is not None:
                channel.close()
                return

    def stop(self, name: str, *, reason: str = "", grace: float = 2.0) -> None:
        """End a pod. Without a Host its end is written down, and the next one does not go on with it."""
        home = self._where()
        channel = connect(home, _ANSWER_WITHIN)
        if channel is not None:
            with contextlib.closing(channel):
                channel.send({"op": "stop", "name": name, "reason": reason, "grace": grace})
                if channel.receive() is not None:
                    return
        request = notes.request(home.open_pods, name)
        if request is not None:  # else it has ended
            event = request.event(Phase.ABORTED, at=time.time(), failure=aborted(reason))
            end(open_store(request.store), home.key(), event)

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None:
        call(self._where(), {"op": "tell", "event": event.to_json(), "labels": dict(labels)})

    def missing(self, pod: PodRequest) -> list[str]:
        raise self._refusal(pod.title)

    def launch(self, pod: PodRequest) -> None:
        raise self._refusal(pod.title)

    def rebuild(self, image: str) -> None:
        raise self._refusal(image)

    @staticmethod
    def _refusal(what: str) -> HostError:
        return HostError(f"{what} is not started by those who only look on.")

    def close(self) -> None:
        self._closed.set()
        self._watches.close()
