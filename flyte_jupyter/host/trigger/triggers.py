"""The triggers that this Host fires: kept in files, woken by one timer.

The files are the truth. A kernel of another installation that deploys the same trigger, or deletes it, only has to
write there, and this Host leaves it alone from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...home import Home
from ...pods import PodRequest
from ...store import keys
from ...store.files import FileStore
from ..environs import Environs
from . import registration
from .due import Standing, look, next_time
from .registration import Registration

LOOK_EVERY = 30.0
"""Seconds without a look at the clock at most: it may be set, and a machine that sleeps stops the timer."""


class Triggers:
    """Fires what is due.

    Args:
        home: where they are kept; environs: the environment variables of their runs, kept as long as they are.
        launch: takes the request of a run; may raise `OSError`.
    """

    def __init__(self, home: Home, environs: Environs, launch: Callable[[PodRequest], None]) -> None:
        self._home = home
        self._environs = environs
        self._launch = launch
        self._known: dict[str, Registration] = {}  # by id, those that this Host fires
        self._firing: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Triggers [{len(self._known)} known, {'some' if self.next() is not None else 'none'} waiting]>"

    def next(self) -> float | None:
        """When the next one fires, in seconds since the epoch; None when no clock fires any."""
        now = time.time()
        times = (next_time(known.automation, known.standing, now) for known in self._known.values())
        return min((at for at in times if at is not None), default=None)

    def load(self) -> None:
        """Take over what the Host before has left; what was missed since is counted."""
        for path in sorted(self._home.triggers.glob("*.json")):
            found = registration.read(path)
            if found is None:
                _say(f"{path.name} cannot be read and is left alone")
            elif found.host == self._home.host:
                self._keep(replace(found, standing=self._recalled(found)))
        self._look()

    def deploy(self, new: Iterable[Mapping[str, Any]], tasks: Iterable[str]) -> None:
        """Register triggers, each as JSON, in the place of all that these tasks have had. Raises `OSError`."""
        before = {each.id: each for each in registration.saved(self._home.triggers) if each.task in set(tasks)}
        for each in map(Registration.from_json, new):
            old = before.pop(each.id, None)
            made = replace(each, standing=_standing(each, old, time.time()))
            registration.save(self._home.triggers, made)
            self._forget(made.id)
            self._keep(made)
            if old is not None and old.template != made.template:  # else it was asked for twice
                _remove_inputs(old)
        for old in before.values():
            self._delete(old)
        self._arm()

    def known(self) -> list[Registration]:
        """All of this user, also those that another installation fires."""
        found = registration.saved(self._home.triggers)
        return [self._known[each.id] if self._is_known(each) else each for each in found]

    def change(self, id: str, do: str) -> None:
        """Do "activate", "deactivate" or "delete" with one. Raises `LookupError` when this Host does not fire it."""
        found = self._known[id]
        if not self._is_still(found):
            raise LookupError(id)
        if do == "delete":
            self._delete(found)
        else:
            standing = found.standing
            self._stand(id, standing.activate(time.time()) if do == "activate" else standing.deactivate())
        self._arm()

    def launched(self, request: PodRequest) -> None:
        """A run of a trigger was started, by the clock or by hand."""
        id, at = request.labels.get("trigger", ""), request.trigger_time
        if id in self._known and request.parent is None and at is not None:
            self._stand(id, self._known[id].standing.has_fired(at, request.run))

    def end(self) -> None:
        """Fire no more."""
        for waiting in (self._timer, *self._firing):
            if waiting is not None:
                waiting.cancel()

    # --- the clock ----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer, for the next time of all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self.next()
        if at is not None:
            delay = min(max(at - time.time(), 0.0), LOOK_EVERY)
            self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        now = time.time()
        for id, known in list(self._known.items()):
            due, standing = look(known.automation, known.standing, now)
            if due is None and standing.missed == known.standing.missed:
                self._known[id] = replace(known, standing=standing)
            elif not self._is_still(known):
                continue
            elif due is None:
                self._stand(id, standing)
            else:  # written down when it is launched: until then another Host would fire it
                self._known[id] = replace(known, standing=standing)
                task = asyncio.get_running_loop().create_task(self._fire(known, due))
                self._firing.add(task)
                task.add_done_callback(self._firing.discard)
        self._arm()

    async def _fire(self, known: Registration, at: float) -> None:
        run = known.run_at(at)
        try:
            store, key = FileStore(known.pod["store"]), self._home.key()
            request = await asyncio.to_thread(known.start, store, key, run, at, now=time.time())
            self._launch(request)
        except Exception as error:  # whatever it is: it must be told, and the others go on
            traceback.print_exc()
            _say(f"trigger {known.name} of {known.task} could not be fired")
            if self._is_known(known):
                standing = self._known[known.id].standing
                self._stand(known.id, replace(standing, problem=f"{type(error).__name__}: {error}"))
            return
        _say(f"trigger {known.name} of {known.task} has started {run}")
        self.launched(request)

    def _recalled(self, found: Registration) -> Standing:
        """Its standing; a Host that died between starting a run and writing that down has fired it all the same."""
        standing = found.standing
        at = next_time(found.automation, standing, standing.until)
        if at is None or at > time.time():
            return standing
        name = replace(PodRequest.from_json(found.pod), run=found.run_at(at))
        ended = FileStore(name.store).path(keys.status(name.run, name.action))
        is_there = os.path.exists(ended) or (self._home.open_pods / name.name).exists()
        return standing.has_fired(at, name.run) if is_there else standing

    # --- what is known ------------------------------------------------------------------------------------------------

    def _is_known(self, found: Registration | None) -> bool:
        """Whether this Host fires it, as it was deployed last."""
        return found is not None and found.id in self._known and self._known[found.id].template == found.template

    def _is_still(self, known: Registration) -> bool:
        """Whether it is still there; one that somebody else has replaced or deleted is forgotten."""
        is_there = self._is_known(registration.read(self._home.triggers / f"{known.id}.json"))
        if not is_there:
            self._forget(known.id)
        return is_there

    def _keep(self, made: Registration) -> None:
        self._known[made.id] = made
        self._environs.keep(made.session)

    def _forget(self, id: str) -> None:
        old = self._known.pop(id, None)
        if old is not None:
            self._environs.release(old.session)

    def _delete(self, old: Registration) -> None:
        (self._home.triggers / f"{old.id}.json").unlink(missing_ok=True)
        self._forget(old.id)
        _remove_inputs(old)

    def _stand(self, id: str, standing: Standing) -> None:
        self._known[id] = replace(self._known[id], standing=standing)
        try:
            registration.save(self._home.triggers, self._known[id])
        except OSError as error:
            _say(f"{id}.json cannot be written, so the next Host will not know of this: {error}")


def _standing(new: Registration, old: Registration | None, now: float) -> Standing:
    """Where a trigger begins; one that was active already, with the same times, goes on."""
    if not new.is_active:
        return replace(old.standing, activated=None, problem="") if old is not None else Standing()
    if old is not None and old.is_active and old.automation == new.automation:
        return replace(old.standing, problem="")
    last = old.standing if old is not None else Standing()
    return Standing(fired=last.fired, run=last.run).activate(now)


def _remove_inputs(old: Registration) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(FileStore(old.pod["store"]).path(keys.trigger(old.template)))


def _say(what: str) -> None:
    print(f"host: {time.strftime('%Y-%m-%d %H:%M:%S')} {what}", file=sys.stderr)  # noqa: T201 - its log
