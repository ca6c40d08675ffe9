"""What happens to the objects of a namespace: listed once, then watched, and never deaf for long.

Each kind has a connection of its own, which the server ends every few minutes, and which may break, be silent because
something in between has forgotten it, or keep back what it should pass on. So a watch goes on from the last version
it has heard of, lists all again when the server has forgotten that version, when nothing was heard for too
long, and, where a list has shown what a watch had not told, every few seconds.
"""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from ...pods import Synced
from .api import Api
from .error import ApiError, refused
from .stream import Stream

KINDS = ("jobs", "pods", "events")
_UNHEARD = "reason!=Scheduled,reason!=Pulled,reason!=Created,reason!=Started,reason!=SuccessfulCreate,reason!=Completed"
"""Of events those are left out that only say that all is well; the objects say that too."""
_ROUND = 270.0
"""Seconds after which the server is asked to end a watch."""
_SILENCE = 90.0
"""Seconds without a word after which a watch is broken: of what the server keeps in memory it tells a bookmark each
minute. Events are not kept so, and an idle namespace has none: there it is a round and a little more."""
_POLL = 5.0
"""Seconds between lists where watches do not tell."""
_DELAY, _LONGEST_DELAY = 0.25, 30.0
"""Seconds before what has failed is tried again, doubled each time."""
_WHICH = ("name", "namespace", "uid", "resourceVersion", "labels", "ownerReferences")
_log = logging.getLogger("flyte_jupyter")


class Change(NamedTuple):
    """An object is there, has changed, or is gone.

    Attributes:
        kind: plural, as in `KINDS`; type: "ADDED", "MODIFIED" or "DELETED".
        object: as the cluster has it, but for `managedFields`; of one that went during a break its metadata alone.
    """

    kind: str
    type: str
    object: dict[str, Any]


class Trouble(NamedTuple):
    """A watch has failed more than once and is tried again; with no text, it goes on."""

    kind: str
    text: str


Item: TypeAlias = Change | Synced | Trouble


class Watch:
    """Iterates over what happens: a `Change` for each object that is there, `Synced`, then the news as they come.

    An object is told as often as it changes, each time with a version that has not been told. After a break what has
    changed meanwhile is told, also what is gone. `put` adds something of the caller's to what is iterated over, so that
    one thread hears of all. Iterating ends after `close`.

    Args:
        api: of which cluster and namespace.
        labels: that jobs and pods have to have, as kubectl takes them. Events cannot be selected by them: all those
            of the namespace are told, without those that only say that all is well.
        kinds: that are watched. A user who may not see events goes without.

    Raises:
        ApiError: when iterating, if the cluster cannot be listed at first. Later it is tried again for ever.
    """

    def __init__(self, api: Api, labels: str, *, kinds: Sequence[str] = KINDS) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._feeds = [_Feed(api, kind, labels, self._items.put) for kind in kinds]

    def __iter__(self) -> Iterator[Any]:
        for feed in self._feeds:
            feed.start()
        unlisted = len(self._feeds)
        while (item := self._items.get()) is not None:
            if isinstance(item, _Listed):
                unlisted -= 1
                if not unlisted:
                    yield Synced()
            elif isinstance(item, ApiError):
                self.close()
                raise item
            else:
                yield item

    def put(self, item: Any) -> None:
        """Add to what is iterated over; any thread may."""
        self._items.put(item)

    def close(self) -> None:
        """End it; any thread may. Who waits for the next item is woken."""
        for feed in self._feeds:
            feed.close()
        self._items.put(None)


class _Listed(NamedTuple):
    """All of a kind has been told that was there at first."""

    kind: str


class _Feed(threading.Thread):
    """The thread that lists and watches one kind."""

    def __init__(self, api: Api, kind: str, labels: str, tell: Callable[[Any], None]) -> None:
        super().__init__(name=f"flyte-watch-{kind}", daemon=True)
        self._api, self._kind, self._tell = api, kind, tell
        self._labels, self._fields = ("", _UNHEARD) if kind == "events" else (labels, "")
        self._silence = _ROUND + 30 if kind == "events" else _SILENCE
        self._known: dict[str, dict[str, Any]] = {}  # by name, no more than is to be told of one that has gone
        self._version = ""
        self._is_troubled = False
        self._is_deaf = False  # whether a list has shown what the watch before it had not told
        self._closed = threading.Event()
        self._stream: Stream | None = None

    def run(self) -> None:
        try:
            self._list()
            self._tell(_Listed(self._kind))
            self._go_on()
        except ApiError as error:
            if self._kind == "events" and error.status == 403:
                _log.info("%s", error)
                self._tell(_Listed(self._kind))
            else:
                self._tell(error)
        except Exception as error:
            self._tell(ApiError(f"Watching {self._kind} has failed: {error!r}"))
            raise

    def _go_on(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                if not self._version:
                    self._is_deaf = self._list()
                began, heard = time.monotonic(), self._listen()
                # one that says nothing and ends at once is as good as broken
                failures = 0 if heard or time.monotonic() - began > 1 else failures + 1
                why = f"{self._api.title} ends each watch of {self._kind} at once."
            except ApiError as error:
                why = str(error)
                if error.is_expired or error.is_silence:
                    self._version = ""  # whatever keeps things back, a list will show what there is
                failures += not error.is_silence
            except (ValueError, LookupError, TypeError) as error:  # something in between that is no cluster
                why = f"{self._api.title} was watched, and what came was no news: {error!r}"
                failures += 1
            if failures:
                self._pause(failures, why)

    def close(self) -> None:
        self._closed.set()
        if (stream := self._stream) is not None:
            stream.close()

    def _pause(self, failures: int, why: str) -> None:
        if failures > 1 and not self._is_troubled:
            _log.warning("%s", why)
            self._tell(Trouble(self._kind, why))
            self._is_troubled = True
        delay = min(_DELAY * 2 ** (failures - 1), _LONGEST_DELAY)
        self._closed.wait(delay * random.uniform(0.5, 1.0))

    def _list(self) -> bool:
        """Tell what a list shows that is not known; whether there was any such thing."""
        listing = self._api.list(self._kind, labels=self._labels, fields=self._fields)
        found = {each["metadata"]["name"]: each for each in listing.items}
        gone = [name for name in self._known if name not in found]
        told = [self._take("DELETED", self._known[name]) for name in gone]
        told += [self._take("MODIFIED" if name in self._known else "ADDED", each) for name, each in found.items()]
        self._version = listing.version
        return any(told)

    def _listen(self) -> bool:
        """Tell what a watch says until the server ends it; whether it has said anything.

        Raises `ApiError` when it breaks, or when the version from which it goes on is forgotten.
        """
        stream = self._api.watch(
            self._kind,
            self._version,
            seconds=int(_ROUND * random.uniform(0.9, 1.0)),
            silence=_POLL if self._is_deaf else self._silence,
            labels=self._labels,
            fields=self._fields,
        )
        self._stream = stream
        if self._is_troubled:
            self._tell(Trouble(self._kind, ""))
            self._is_troubled = False
        if self._closed.is_set():
            stream.close()
        heard = False
        try:
            for line in stream:
                said = json.loads(line)
                if said["type"] == "ERROR":
                    raise refused(said["object"], 500, what=f"go on watching {self._kind}", where=self._api.title)
                self._version = said["object"]["metadata"]["resourceVersion"]
                heard = True
                if said["type"] != "BOOKMARK":
                    self._is_deaf = False
                    self._take(said["type"], said["object"])
        finally:
            self._stream = None
        return heard

    def _take(self, type: str, found: dict[str, Any]) -> bool:
        """Tell one, if this version of it is not known; whether it was not."""
        metadata = found["metadata"]
        metadata.pop("managedFields", None)  # half of its size
        name = metadata["name"]
        known = self._known.get(name)
        if type == "DELETED":
            self._known.pop(name, None)
        elif known is not None and known["metadata"].get("resourceVersion") == metadata.get("resourceVersion"):
            return False
        else:
            if known is not None and known["metadata"].get("uid") != metadata.get("uid"):
                self._tell(Change(self._kind, "DELETED", known))
                type = "ADDED"
            self._known[name] = _stub(found)
        self._tell(Change(self._kind, type, found))
        return True


def _stub(found: dict[str, Any]) -> dict[str, Any]:
    """Which object it is."""
    metadata = {key: found["metadata"][key] for key in _WHICH if key in found["metadata"]}
    about = {key: found[key] for key in ("involvedObject",) if key in found}
    return {"metadata": metadata, **about}
