"""Cards that stay up to date.

`show` displays a card at once under a display id.  From then on news of the run only sets a flag; one background
thread for all cards redraws what changed, at most five times a second each and fifty times in all, and now and then
what still runs, so that its seconds move: once a second, and less often the longer it runs, because each drawing closes
what was opened on the card.  The thread starts with the first card and ends with the last.

Updates go out with the parent header of whatever cell runs now, not of the card's own: front ends find the output by
its display id, and nbclient and papermill throw away what does not belong to the cell that they are running.  In
ipykernel 7 that header is a context variable, so they are published from an empty context, where the kernel falls back
to its latest request.  The end of a cell draws what changed once more: after that nobody may be listening.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from .cards import card, timeline
from .cells.places import NameOf, names_of, readable, without_home

INTERVAL = 0.2
"""Seconds between two updates of a card."""
INTERVAL_OF_ALL = 0.02
"""Seconds between two updates of any card, when there are many of them."""
TICK = 1.0
"""Seconds after which a card of something that runs is drawn although nothing happened, in the first minute; later it
is a sixtieth of the time that it was live."""
SLOWEST_TICK = 10.0
GRACE = 2.0
"""Seconds that a card waits for the value of a run that has succeeded."""

Send = Callable[[dict[str, Any], str, bool], None]
"""(MIME bundle, display id, whether it is an update): to the front end."""


class Showable(Protocol):
    """What a card needs of a run."""

    @property
    def name(self) -> str: ...
    def done(self) -> bool: ...
    def view(self) -> dict[str, Any]: ...
    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class LiveCard:
    """One displayed card."""

    def __init__(
        self,
        run: Showable,
        send: Send,
        clock: Callable[[], float] = time.time,
        name_of: NameOf = lambda _: None,
        place: str | None = None,
    ) -> None:
        self.run = run
        self.display_id = place or uuid.uuid4().hex
        self.is_closed = False
        self.is_dirty = False
        self.drawn = float("-inf")
        self.begun = clock()
        self._send = send
        self._clock = clock
        self._name_of = name_of
        self._ended: float | None = None
        self._is_shown = place is not None
        self._lock = threading.Lock()  # two threads may draw: the older picture must not come last

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else "dirty" if self.is_dirty else "clean"
        return f"<LiveCard {self.run.name} {self.display_id[:8]} [{state}]>"

    def draw(self) -> None:
        """Send the card as it is now; close it when this was the last time."""
        with self._lock:
            if self.is_closed:
                return
            now = self._clock()
            self.is_dirty = False
            self.drawn = now
            try:
                view = readable(self.run.view(), self._name_of)
                made = without_home(card.bundle(view, now=now))
                self.is_closed = self._is_final(view, now)
            except Exception as e:
                made, self.is_closed = failure(self.run, e), True
            self._send(made, self.display_id, self._is_shown)
            self._is_shown = True

    def due(self, cards: int = 1) -> float:
        """When it is to be drawn next, being one of so many."""
        tick = min(SLOWEST_TICK, max(TICK, (self.drawn - self.begun) / 60))
        return self.drawn + max(INTERVAL if self.is_dirty else tick, cards * INTERVAL_OF_ALL)

    def _is_final(self, view: Mapping[str, Any], now: float) -> bool:
        if view["phase"] not in timeline.TERMINAL:
            return False
        if self._ended is None:
            self._ended = now
        return view["phase"] != "succeeded" or view.get("result") is not None or now >= self._ended + GRACE


class Updater:
    """Draws cards when they are due, on a thread that lives as long as there are any."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._cards: dict[str, tuple[LiveCard, Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Updater [{len(self._cards)} live, thread {'on' if self._thread else 'off'}]>"

    def add(self, shown: LiveCard) -> None:
        """Keep a card up to date."""
        unsubscribe = shown.run.subscribe(functools.partial(self._news, shown))
        with self._changed:
            if shown.display_id in self._cards:  # its place was another's
                before, forget = self._cards.pop(shown.display_id)
                before.is_closed = True
                forget()
            self._cards[shown.display_id] = (shown, unsubscribe)
            shown.is_dirty = True  # something may have happened between the first drawing and now
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="flyte-cards", daemon=True)
                self._thread.start()
            self._changed.notify()

    def cards(self) -> list[LiveCard]:
        """The cards that are still live."""
        with self._changed:
            return [shown for shown, _ in self._cards.values()]

    def flush(self) -> None:
        """Draw at once what has changed, on the calling thread: the end of a cell.

        A run that has ended is drawn without its news: whoever waited for it may be quicker than they are.
        """
        for shown in self.cards():
            if shown.is_dirty or shown.run.done():
                shown.draw()

    def step(self) -> float | None:
        """Draw what is due and drop what has ended; the seconds to wait, or None when no card is left."""
        for shown in (cards := self.cards()):
            if not shown.is_closed and shown.due(len(cards)) <= self._clock():
                self._draw(shown)
        with self._changed:
            for display_id, (shown, unsubscribe) in list(self._cards.items()):
                if shown.is_closed:
                    del self._cards[display_id]
                    unsubscribe()
            if not self._cards:
                self._thread = None
                return None
            return max(0.0, self._next() - self._clock())

    @staticmethod
    def _draw(shown: LiveCard) -> None:
        try:
            shown.draw()
        except Exception:  # the kernel is going away: there is no screen left to say it on
            shown.is_closed = True

    def _news(self, shown: LiveCard) -> None:
        with self._changed:
            if not shown.is_dirty:
                shown.is_dirty = True
                self._changed.notify()

    def _loop(self) -> None:
        while (seconds := self.step()) is not None:
            with self._changed:
                is_closed = any(shown.is_closed for shown, _ in self._cards.values())
                if not is_closed and self._next() > self._clock():
                    self._changed.wait(seconds)

    def _next(self) -> float:
        return min(shown.due(len(self._cards)) for shown, _ in self._cards.values())


updater = Updater()
"""For all cards of this process."""


def failure(run: Showable, error: Exception) -> dict[str, Any]:
    """What stands where a card could not be drawn: IPython would swallow it, or print our frames."""
    return {"text/plain": f"flyte_jupyter could not draw the card of {run.name}: {type(error).__name__}: {error}"}


def show(run: Showable, shell: Any) -> None:
    """Display the card of a run in a kernel, and keep it up to date until the run has ended.

    The display id of the first one is the run's name, by which another kernel finds it again: see `placed`.
    """
    send = functools.partial(publish, shell.display_pub)
    shown = LiveCard(run, send, name_of=names_of(shell), place=_place.get())
    if _place.get() is None and run.name not in _named:
        shown.display_id = run.name
    _named.add(run.name)
    shown.draw()
    if not shown.is_closed:
        updater.add(shown)


_named: set[str] = set()
"""Runs whose names are display ids."""


@contextlib.contextmanager
def placed(display_id: str) -> Iterator[None]:
    """Within it, cards take the place of the output that has this display id, wherever that is."""
    token = _place.set(display_id)
    try:
        yield
    finally:
        _place.reset(token)


_place: contextvars.ContextVar[str | None] = contextvars.ContextVar("flyte_card_place", default=None)


def shell() -> Any:
    """IPython's shell; None outside of it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def is_kernel(shell: Any) -> bool:
    """Whether there is a front end that takes MIME bundles, not a terminal."""
    return getattr(shell, "kernel", None) is not None


def publish(display_pub: Any, data: dict[str, Any], display_id: str, is_update: bool) -> None:
    """Send through the publisher that was there when the card was shown.

    Under `%%capture` that one collects outputs: the card's place in its list is renewed instead of growing the list.
    """
    for output in getattr(display_pub, "outputs", None) or ():
        if is_update and (output.get("transient") or {}).get("display_id") == display_id:
            output["data"] = data
            return
    send = functools.partial(
        display_pub.publish, data, metadata={}, transient={"display_id": display_id}, update=is_update
    )
    if threading.current_thread() is threading.main_thread():
        send()
    else:
        contextvars.Context().run(send)
