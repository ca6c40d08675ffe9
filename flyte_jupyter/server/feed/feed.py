"""All runs of a user, live, for any thread: Hosts, store and clusters are watched, and nothing is started."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ...config.cluster import Cluster
from ...engine.journal import Journal, Query, Used
from ...engine.run import Run
from ...errors import RunNotFoundError, StoreError
from ...home import Home
from ...pods import Phase
from ...sites import Sites
from ...store import keys
from ...store.files import FileStore
from ..shapes.actions import ActionRow
from ..shapes.runs import NotebookRuns, RunPage, RunSummary
from .changes import Changes
from .hosts import Hosts
from .looked_at import LookedAt
from .moved import Move, Moved, kernels_of
from .open_runs import OpenRun, OpenRuns, read, recall
from .past import Past, rows
from .remote import Remote, news_of
from .summaries import path_within, row, summary, within

_TICK = 0.25
"""Seconds between two looks at the folders."""
_PACE = 0.05
"""Seconds between two times that something is told."""
_FEW = 20
"""New runs that are read at once; more are read in the background."""
_FIRST_PAGE = 1.0
"""Seconds that the first page waits for the index, when that is made anew."""
_CATCH_UP = 0.5
"""Seconds that an answer waits for the newest news at most."""
_MOST_NEWS = 100
"""Parts of news that it takes in for that, while there are ever more."""
_SELDOM = 60.0
"""Seconds at most between two looks for the record of a run, which somebody is still writing, or never will."""
_ENDED = frozenset(phase.value for phase in Phase if phase.is_terminal)
_log = logging.getLogger("flyte_jupyter")

Listener: TypeAlias = Callable[[list[RunSummary], list[str]], None]
"""Hears of runs that are new or have changed, and the names of those that were deleted."""
Follower: TypeAlias = Callable[[list[ActionRow]], None]
"""Hears of actions that are new or have changed."""


class Feed:
    """All runs of this user.

    Args:
        sites: where runs are; home: the state folder.
        root: the folder that the server serves, within which notebooks have relative paths.
    """

    def __init__(self, sites: Sites, home: Home, root: Path) -> None:
        self._home, self._root = home.make(), root
        self._store = FileStore(home.store_url)
        self._journal = Journal(home.path)
        self._open = OpenRuns(home, self._store)
        self._hosts = Hosts(home, self._open)
        self._moved = Moved(home.path)
        self._past = Past(self._store, self._journal, self._moved, self._has_not_ended, self._were_read)
        self._looked_at = LookedAt(home, sites, self._host_of)
        self._folder = Changes(self._store.path(keys.RUNS))
        self._names: set[str] = set()
        self._filled = 0
        self._unwritten: dict[str, tuple[float, float]] = {}  # when it is looked for, and how long it was waited
        self._remote = Remote(self._looked_at.run, self._remote_changed)
        self._inbox: deque[dict[str, Any]] = deque()
        self._remote_news: deque[str] = deque()
        self._moves: deque[Move] = deque()
        self._waiting: deque[threading.Event] = deque()
        self._listeners: list[Listener] = []
        self._followers: dict[str, list[Follower]] = {}
        self._lock = threading.Lock()
        self._told_at = 0.0
        self._is_closed = False
        self._problem = ""
        self._thread = threading.Thread(target=self._loop, name="flyte-jupyter-feed", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<Feed {self._home.path} [{len(self._names)} runs, {self._open!r}, {self._hosts!r}]>"

    # --- what is known ------------------------------------------------------------------------------------------------

    def page(
        self,
        offset: int = 0,
        limit: int = 100,
        *,
        text: str = "",
        phases: Sequence[str] = (),
        task: str = "",
        notebook: str | None = None,
    ) -> RunPage:
        """Runs, the newest first.

        Args:
            text: words that are in name, task, notebook or reason; phases: one of them; task: full name or title.
            notebook: its path as in a summary; "" for none.
        """
        self._past.wait(_FIRST_PAGE)
        self._catch_up()
        path = str(self._root / notebook) if notebook else notebook  # an absolute one stays as it is
        found, total = self._journal.page(Query(text, phases, task, path), offset, limit)
        return RunPage(runs=[self._seen(each) for each in found], offset=offset, total=total)

    def notebooks(self, *, text: str = "", phases: Sequence[str] = (), task: str = "") -> list[NotebookRuns]:
        """The notebooks of runs that `page` would give, the last used first."""
        self._past.wait(_FIRST_PAGE)
        found = self._journal.notebooks(Query(text, phases, task))
        return [
            NotebookRuns(notebook=path_within(self._root, path), runs=runs, last=last) for path, runs, last in found
        ]

    def summary(self, run: str) -> RunSummary:
        """One of them. Raises `RunNotFoundError`."""
        self._catch_up()
        known = self._open.runs.get(run)
        if known is not None:
            return self._seen(self._moved.now(summary(known.record, known.state)))
        found = self._journal.get(run)
        return self._seen(found) if found is not None else self._seen(self._past.now(self.record(run))[0])

    def record(self, run: str) -> dict[str, Any]:
        """What was written down of it. Raises `RunNotFoundError`."""
        record = read(self._store, run)
        if record is None:
            raise RunNotFoundError(f"There is no run {run!r} here; it may have been deleted.")
        return record

    def actions(self, run: str) -> list[ActionRow]:
        """All its actions, the first one first. Raises `RunNotFoundError`."""
        self._catch_up()
        known = self._open.runs.get(run)
        if known is not None:
            return rows(known)
        found: Any = self._journal.actions(run)
        if found is None and self.record(run).get("cluster") is not None:
            it = self.run(run)
            it.done()  # which looks at what is stored there
            return [row(action) for action in it.standing.state.all()]
        return found if found is not None else self._past.now(self.record(run))[1]

    def run(self, run: str) -> Run:
        """The run itself, attached: view, logs, report, cancel work wherever it is; it is kept while it is needed.

        Raises:
            RunNotFoundError: there is none. ConfigError: its cluster is not reached, or refuses.
        """
        return self._looked_at.run(self.record(run))

    def clusters(self) -> list[Cluster]:
        """The clusters that runs were open in since this began."""
        return self._remote.clusters()

    def used(self) -> list[Used]:
        """The tasks that runs were of, the last used first."""
        return self._journal.used()

    def before(self, run: str, task: str) -> str | None:
        """The name of the last run of a task before that one; None when it is the first."""
        return self._journal.before(run, task)

    def moved(self, source: str, path: str, sessions: Mapping[str, str]) -> None:
        """A file or a folder has another path now, within the root; `sessions` are the notebooks of kernels by id."""
        kernels = kernels_of(source, path, sessions)
        self._moves.append(Move(time.time(), str(self._root / source), str(self._root / path), kernels))
        self._hosts.wake()

    def _catch_up(self) -> None:
        """Have the feed's thread take in what was said before now, as by code that asks for what it has just done."""
        if threading.current_thread() is not self._thread:
            done = threading.Event()
            self._waiting.append(done)
            self._hosts.wake()
            done.wait(_CATCH_UP)

    def _seen(self, made: Any) -> RunSummary:
        return within(self._root, made)

    def _host_of(self, run: str) -> Home:
        """The state folder with the Host that has a run, else with ours."""
        known = self._open.runs.get(run)
        return Home(self._home.path, (known.host if known is not None else None) or self._home.noted(run))

    # --- who is told --------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Listener) -> Callable[[], None]:
        """Call back with what has changed, on the feed's thread, until the returned function is called.

        Runs that were read into the index are told too, though nothing has happened to them.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def follow(self, run: str, callback: Follower) -> Callable[[], None]:
        """Call back with actions of a run that have changed, until the returned function is called.

        Whoever asks for `actions` after this misses none.
        """
        with self._lock:
            self._followers.setdefault(run, []).append(callback)

        def leave() -> None:
            with self._lock:
                left = self._followers.get(run, [])
                left.remove(callback)
                if not left:
                    self._followers.pop(run, None)

        return leave

    def close(self) -> None:
        """Let go of everything; what runs, runs on."""
        self._is_closed = True
        self._hosts.wake()
        self._thread.join(5.0)
        self._past.close()
        self._remote.close()
        self._looked_at.close()
        self._journal.close()

    # --- its thread ---------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        look_at = 0.0
        self._safely(self._begin)
        while not self._is_closed:
            now = time.monotonic()
            if now >= look_at:
                look_at = now + _TICK
                self._safely(self._look)
            while self._inbox:
                self._safely(lambda: self._admit(self._inbox.popleft()))
            while self._remote_news:
                self._open.changed.add(self._remote_news.popleft())
            while self._moves:
                self._safely(self._follow_notebooks)
            if self._waiting:
                self._safely(self._answer)
            tell_at = self._told_at + _PACE
            if self._open.changed and time.monotonic() >= tell_at:
                self._safely(self._tell)
            until = min(look_at, tell_at) if self._open.changed else look_at
            self._hosts.wait(max(0.0, until - time.monotonic()))
        self._hosts.close()

    def _safely(self, step: Callable[[], object]) -> None:
        """Whatever goes wrong must not end the news; it is logged once, and the next look may do better."""
        try:
            step()
        except Exception as error:
            if (problem := repr(error)) != self._problem:
                self._problem = problem
                _log.exception("Some news of runs were lost.")

    def _follow_notebooks(self) -> None:
        for made in self._moved.follow(self._moves.popleft(), self._journal):
            self._call([self._seen(each) for each in made], [])

    def _answer(self) -> None:
        """Tell those who wait that all is known that was said before they did."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            for _ in range(_MOST_NEWS):
                if not self._hosts.wait(0.0):
                    break
            self._look(at_once=True)
            self._tell()
        finally:
            for each in waiting:
                each.set()

    def _begin(self) -> None:
        """What the index has, against what the store has."""
        self._home.make()  # somebody may have removed all of it
        known = self._journal.names()
        self._filled = self._journal.opened
        self._folder.are_there()
        self._names = set(self._store.list(keys.RUNS))
        self._forget(known.keys() - self._names)
        self._past.add(name for name in self._names if known.get(name) not in _ENDED)

    def _look(self, *, at_once: bool = False) -> None:
        self._hosts.look()
        if not self._journal.is_there():
            self._journal.close()
            self._begin()
        elif self._journal.opened != self._filled:
            self._begin()
        now = time.monotonic()
        while self._past.unwritten:
            self._unwritten.setdefault(self._past.unwritten.popleft(), (now, 0.0))
        due = {name for name, (at, _) in self._unwritten.items() if now >= at}
        if self._folder.are_there() or due:
            self._list(due)
        self._open.look(at_once=at_once)
        self._looked_at.tidy()

    def _list(self, due: set[str]) -> None:
        names = set(self._store.list(keys.RUNS))
        new, gone = names - self._names, self._names - names
        self._names = names
        self._forget(gone)
        if len(new) > _FEW:
            self._past.add(new)
            new = set()
        for name in sorted(new | due):
            _, waited = self._unwritten.pop(name, (0.0, 0.0))
            if name in names and name not in self._open.runs and not self._add(name):
                pause = min(max(2 * waited, _TICK), _SELDOM)
                self._unwritten[name] = (time.monotonic() + pause, pause)

    def _add(self, name: str) -> bool:
        record = read(self._store, name)
        if record is not None:
            self._admit(record)
        return record is not None

    def _admit(self, record: dict[str, Any]) -> None:
        if record["run"] in self._open.runs:  # its Host was faster, and what it has told stays
            self._open.changed.add(record["run"])
            return
        run = self._open.add(record)
        if run.is_remote and not run.has_ended:
            self._remote.add(run)

    def _forget(self, gone: set[str]) -> None:
        if gone:
            self._journal.remove(gone)
            for name in gone:
                self._unwritten.pop(name, None)
                self._open.runs.pop(name, None)
                self._open.changed.discard(name)
                self._remote.end(name)
            self._call([], sorted(gone))

    def _tell(self) -> None:
        """Put into the index what has changed, then tell it."""
        self._told_at = time.monotonic()
        names, self._open.changed = self._open.changed, set()
        runs = {name: run for name in names if (run := self._open.runs.get(name)) is not None}
        ended = [name for name, run in runs.items() if run.has_ended]
        for name in ended:
            recall(self._store, runs[name])
        made = [self._moved.now(summary(run.record, run.state)) for run in runs.values()]
        actions = {name: rows(runs[name]) for name in ended if runs[name].is_told}
        try:
            self._journal.put(made, actions)
        except StoreError:  # a full disk, say; who listens hears it all the same
            _log.exception("The index of runs was not written.")
        for name, run in runs.items():
            self._tell_followers(name, run)
        for name in ended:
            del self._open.runs[name]
            self._remote.end(name)
        self._call([self._seen(each) for each in made], [])

    def _tell_followers(self, name: str, run: OpenRun) -> None:
        changed, run.changed = run.changed, set()
        with self._lock:
            followers = list(self._followers.get(name, ()))
        if followers:
            known = news_of(run) if run.is_remote else (run.state.get(each) for each in changed)
            told = [row(action) for action in known if action is not None]
            for callback in followers:
                self._safely(lambda callback=callback: callback(told))  # type: ignore[misc]

    def _call(self, changed: list[RunSummary], gone: list[str]) -> None:
        for callback in list(self._listeners):
            self._safely(lambda callback=callback: callback(changed, gone))  # type: ignore[misc]

    # --- what the background tells ------------------------------------------------------------------------------------

    def _remote_changed(self, run: str) -> None:
        self._remote_news.append(run)
        self._hosts.wake()

    def _has_not_ended(self, record: dict[str, Any]) -> None:
        self._inbox.append(record)
        self._hosts.wake()

    def _were_read(self, summaries: list[RunSummary]) -> None:
        self._call([self._seen(each) for each in summaries], [])
