"""What pods say of themselves: their logs, followed, a few at a time, each line once."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ...host.spoken import Decoder, Ended, News, Other, Recalled
from ...pods import PodEvent, PodRequest
from . import ends, primary
from .api import Api
from .error import ApiError
from .stream import Stream

MOST = 32
"""Logs that are read at a time: each takes a connection here and one of the API server to a node."""
_TURN = 2.0
"""Seconds after which a log makes room for one that waits."""
_DELAY, _LONGEST_DELAY = 0.25, 15.0
"""Seconds before what has failed is tried again, doubled each time."""
_SECOND = len("2000-01-01T00:00:00")
_PIECE = 16384
"""Bytes at which container runtimes cut lines. Old kubelets put the time before each piece, also within a line."""
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ")
_log = logging.getLogger("flyte_jupyter")


class Heard(NamedTuple):
    """News of a pod; None when its log was read to the end."""

    pod: str
    news: News | None


class Follower:
    """Reads the logs of pods and tells what is in them, each line once, also after breaks.

    When there are more pods than may be read at a time, they take turns. A log that the cluster does not have any more,
    or that this user may not read, counts as read.

    Args:
        put: is called with each `Heard`, on a thread of its own for each log that is read; with the event itself for
            an action that has no pod.
        most: logs that are read at a time.
    """

    def __init__(self, api: Api, put: Callable[[Heard | PodEvent], None], *, most: int = MOST) -> None:
        self._api, self._put, self._most = api, put, most
        self._lock = threading.Lock()
        self._known: dict[str, _Log] = {}
        self._waiting: deque[_Log] = deque()
        self._reading: dict[_Log, float] = {}  # since when
        self._rotates = False
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<Follower [{len(self._reading)} read, {len(self._waiting)} waiting]>"

    def follow(self, pod: Mapping[str, Any], request: PodRequest) -> None:
        """Read the log of a pod whose container has started, unless it is read or was read already."""
        name = pod["metadata"]["name"]
        with self._lock:
            known = self._known.get(name)
            if known is not None and known.uid == pod["metadata"]["uid"]:
                return
            log = self._known[name] = _Log(self._api, pod, request, self._put, self._closed)
            self._waiting.append(log)
            self._fill()

    def forget(self, pod: str) -> None:
        """The pod is gone, or nobody asks for it any more."""
        with self._lock:
            log = self._known.pop(pod, None)
        if log is not None:
            log.leave(for_good=True)

    def close(self) -> None:
        """Read nothing more."""
        self._closed.set()
        with self._lock:
            self._waiting.clear()
            reading = list(self._reading)
        for log in reading:
            log.leave(for_good=True)

    def _fill(self) -> None:
        """Start to read as many as may be read; the lock is held."""
        while self._waiting and len(self._reading) < self._most and not self._closed.is_set():
            log = self._waiting.popleft()
            self._reading[log] = time.monotonic()
            threading.Thread(target=self._read, args=(log,), name=f"flyte-log-{log.pod}", daemon=True).start()
        if self._waiting and not self._rotates:
            self._rotates = True
            threading.Thread(target=self._rotate, name="flyte-log-turns", daemon=True).start()

    def _read(self, log: _Log) -> None:
        try:
            log.read()
        except Exception:
            log.is_read = True
            _log.exception("The log of the pod %s cannot be read", log.pod)
        finally:
            if log.is_read:
                self._put(Heard(log.pod, None))
            with self._lock:
                del self._reading[log]
                if not log.is_read and not log.is_forgotten:
                    self._waiting.append(log)
                self._fill()

    def _rotate(self) -> None:
        """Have those make room that were read for longest, while others wait."""
        while not self._closed.wait(_TURN):
            with self._lock:
                if not self._waiting:
                    self._rotates = False
                    return
                before = time.monotonic() - _TURN
                old = [log for log, since in self._reading.items() if since < before][: len(self._waiting)]
            for log in old:
                log.leave()


class _Log:
    """The log of one pod's container, and how far it was read.

    Attributes:
        is_read: whether all of it was told; is_forgotten: whether nobody wants the rest.
    """

    def __init__(
        self,
        api: Api,
        pod: Mapping[str, Any],
        request: PodRequest,
        put: Callable[[Heard | PodEvent], None],
        closed: threading.Event,
    ) -> None:
        self.pod, self.uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        self._api, self._put, self._closed = api, put, closed
        self._container = str(primary.container_of(pod)["name"])
        self._decoder = Decoder.of(request)
        self._has_ended = ends.has_ended(pod)
        self._last = b""  # the time of the last line
        self._seen: Counter[bytes] = Counter()  # the times of lines that are sent again when one goes on
        self._stream: Stream | None = None
        self._leaves = self.is_read = self.is_forgotten = False

    def leave(self, *, for_good: bool = False) -> None:
        """Stop reading it for now; any thread may ask that."""
        self._leaves = True
        self.is_forgotten = self.is_forgotten or for_good
        if (stream := self._stream) is not None:
            stream.close()

    def read(self) -> None:
        """Tell what is new in it, until its end, or until it has to leave."""
        self._leaves, failures = self.is_forgotten, 0
        while not (self._leaves or self._closed.is_set()):
            try:
                has_told = self._read_on()
                if not (self.is_read or self._leaves):
                    self._ask()
                # one that says nothing and ends, of a container that goes on, has gone with its file
                failures = 0 if has_told or self._has_ended else failures + 1
            except ApiError as error:
                if error.is_missing or error.status == 403:
                    if error.status == 403:
                        _log.warning("%s", error)
                    self._end()
                    return
                failures += 1
                _log.info("%s", error)
            if self.is_read:
                return
            if failures:
                delay = min(_DELAY * 2 ** (failures - 1), _LONGEST_DELAY)
                self._closed.wait(delay * random.uniform(0.5, 1.0))

    def _read_on(self) -> bool:
        """Tell the lines that follow, until the other side ends; whether there were any."""
        before = self._seen.copy()
        follow = not self._has_ended
        stream = self._api.log(self.pod, container=self._container, follow=follow, since=self._since())
        self._stream = stream
        if self._leaves:
            stream.close()
        told = self._seen.copy()
        try:
            for line in stream:
                self._line(line, told)
                if self.is_read:
                    return True
        finally:
            self._stream = None
        if not follow and not self._leaves:
            self._end()
        return self._seen != before

    def _line(self, line: bytes, told: Counter[bytes]) -> None:
        """Tell one, unless it was told before, as its time shows."""
        at, _, text = line.partition(b" ")
        if not _TIME.match(line):  # of the kubelet itself, such as that there is no log
            self._tell(Other(line.decode("utf-8", "replace")))
            return
        if told[at]:
            told[at] -= 1
            return
        self._note(at)
        for news in self._decoder.line(_joined(text).decode("utf-8", "replace")):
            self._tell(news)

    def _note(self, at: bytes) -> None:
        """Remember the times of the lines that would be sent again."""
        if self._last[:_SECOND] < at[:_SECOND]:
            self._last = at
            since = self._since().encode()[:_SECOND]
            self._seen = Counter({known: count for known, count in self._seen.items() if known >= since})
        self._seen[at] += 1

    def _since(self) -> str:
        """The time to go on from: the server knows whole seconds, and lines of the two streams may change places."""
        if not self._last:
            return ""
        at = datetime.fromisoformat(self._last[:_SECOND].decode()) - timedelta(seconds=1)
        return at.isoformat() + "Z"

    def _ask(self) -> None:
        """Why it has ended: logs also end when they are rotated, or with the kubelet. If the container has, what may
        still be missing is read once more.
        """
        found = self._api.list("pods", fields=f"metadata.name={self.pod}").items
        self._has_ended = not any(each["metadata"]["uid"] == self.uid and not ends.has_ended(each) for each in found)

    def _tell(self, news: News) -> None:
        self._put(news.event if isinstance(news, Recalled) else Heard(self.pod, news))
        if isinstance(news, Ended):
            self.is_read = True

    def _end(self) -> None:
        for news in self._decoder.close():
            self._tell(news)
        self.is_read = True


def _joined(text: bytes) -> bytes:
    """A line without the times that old kubelets (before 1.21) put where the container runtime has cut it."""
    at = _PIECE
    while len(text) > at and (found := _TIME.match(text, at)):
        text = text[:at] + text[found.end() :]
        at += _PIECE
    return text
