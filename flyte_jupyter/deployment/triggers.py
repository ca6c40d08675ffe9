"""Triggers that were deployed: what `flyte.triggers()` shows and changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import session
from ..config.show import page
from ..config.values.schedule import zone
from ..config.values.trigger import Automation, Cron, FixedRate, TriggerTime
from ..config.words import in_words
from ..engine.options import RunOptions
from ..engine.request import new_run_name
from ..engine.run import Run
from ..errors import HostError, RunNotFoundError
from ..host.trigger import registration
from ..host.trigger.due import MOST, next_time
from ..markup import Html, columns, table, text
from ..pack.call import pack_inputs, unseal_code, unseal_for_trigger
from ..pack.codec import loads
from ..pack.preview import describe
from ..store import keys, open_store
from ..task import Task
from . import cache

if TYPE_CHECKING:
    from ..host.trigger.registration import Registration

ABOUT = "fired by the local Host; after a restart of this machine, from the next use of flyte_jupyter on"
HEAD = ("Task", "Trigger", "When", "Active", "Next", "Last", "Missed")


class DeployedTrigger:
    """A trigger that the local Host fires; `flyte.triggers()` gives them.

    What it says is as of when it was asked for, or changed with one of its methods.
    """

    def __init__(self, it: Registration) -> None:
        self._it = it

    @property
    def name(self) -> str:
        return self._it.name

    @property
    def id(self) -> str:
        """The same for the same trigger of the same task, however often it is deployed."""
        return self._it.id

    @property
    def task_name(self) -> str:
        """Fully qualified name of the task."""
        return self._it.task

    @property
    def description(self) -> str:
        return self._it.description

    @property
    def automation(self) -> Automation | None:
        """When it fires; None for on demand."""
        return self._it.automation

    @property
    def version(self) -> str:
        """Of the task: what `flyte.deploy(version=...)` said, or the beginning of its code's digest."""
        return self._it.version

    @property
    def is_active(self) -> bool:
        return self._it.is_active

    @property
    def is_ours(self) -> bool:
        """Whether the Host of this installation fires it."""
        return self._it.host == session.current().home.host

    @property
    def next_fire(self) -> datetime | None:
        """When it fires next, in its own time zone; None when no clock fires it, or it is not active.

        Nor is it known of one that another installation fires, while that does not run.
        """
        at = next_time(self._it.automation, self._it.standing, time.time())
        return self._time(at) if at is not None and self._is_served() else None

    @property
    def last_fire(self) -> datetime | None:
        """The time for which it has fired last; None when it has not."""
        return self._time(self._it.standing.fired)

    @property
    def last_run(self) -> Run | None:
        """The run of that; None when there is none, or it was removed."""
        try:
            return session.current().attach(self._it.standing.run) if self._it.standing.run else None
        except RunNotFoundError:
            return None

    @property
    def missed(self) -> int:
        """Times that passed while no Host ran, or the machine slept, since it was activated. They are not made up."""
        return self._it.standing.missed

    @property
    def problem(self) -> str:
        """Why it could not be fired the last time, "" when it could."""
        return self._it.standing.problem

    def _time(self, at: float | None) -> datetime | None:
        if at is None:
            return None
        moment = datetime.fromtimestamp(at, timezone.utc)
        return moment.astimezone(zone(self._it.automation) if isinstance(self._it.automation, Cron) else None)

    def __repr__(self) -> str:
        return f"<DeployedTrigger {self.task_name} {self.name} [{', '.join(filter(None, self.row()[2:]))}]>"

    # --- changing it --------------------------------------------------------------------------------------------------

    def activate(self) -> DeployedTrigger:
        """Let the clock fire it, from now on."""
        return self._change("activate")

    def deactivate(self) -> DeployedTrigger:
        """Keep it, but let nothing but `fire` start it."""
        return self._change("deactivate")

    def delete(self) -> None:
        """Take it away; runs that it has started go on."""
        here = session.current()
        if self._it.host == here.home.host:
            here.runner.change_trigger(self._it.id, "delete")
        else:  # that Host sees it before it fires
            (here.home.triggers / f"{self._it.id}.json").unlink(missing_ok=True)

    def fire(self, **inputs: Any) -> Run:
        """Start a run of it now, and return the run.

        Args:
            inputs: for this run, in the place of those that it was deployed with. `TriggerTime` is now.

        Raises:
            ConfigTypeError, ConfigValueError: inputs that the task does not take, or that are missing.
            HostError: another installation fires it.
        """
        here = session.current()
        self._check_ours()
        store, key, now = open_store(self._it.pod["store"]), here.home.key(), time.time()
        changes = self._changes(inputs, now) if inputs or self._it.open_inputs else {}
        pod = self._it.start(store, key, new_run_name(), now, now=now, by_hand=True, **changes)
        here.runner.launch(pod)
        run = here.attach(pod.run)
        here.show(run)
        return run

    def _changes(self, inputs: dict[str, Any], now: float) -> dict[str, Any]:
        """What is different for a run with some inputs replaced, which the task's own interface has checked."""
        here = session.current()
        sealed = unseal_for_trigger(
            here.home.key(), here.store.get(keys.trigger(self._it.template)), template=self._it.template
        )
        digest = sealed.header["code"]
        task: Task[..., Any] = unseal_code(here.home.key(), here.store.get(keys.code(digest)), digest=digest)
        before = {name: value for name, value in loads(sealed.parts).items() if name not in self._it.open_inputs}
        later = {name for name, value in before.items() if value is TriggerTime and name not in inputs}
        bound = task.interface.bind(task.name, (), {**before, **inputs}, later=later)
        said = {name: describe(bound[name]) for name in inputs}
        answer, recall = cache.ask(here.engine, task, bound, RunOptions.of(self._it.pod["options"]), later)
        about, key, reason = (answer.about, answer.key, answer.reason) if answer is not None else ({}, "", "")
        given = pack_inputs(task, digest, {**bound, **dict.fromkeys(later, TriggerTime)}, about)
        kept = {"cache_key": key, "cache": reason, "cache_since": registration.since(recall, now)}
        return {"given": given, "said": said, **kept}

    def _change(self, do: str) -> DeployedTrigger:
        self._check_ours()
        session.current().runner.change_trigger(self._it.id, do)
        (self._it,) = [each._it for each in triggers() if each._it.id == self._it.id]
        return self

    def _check_ours(self) -> None:
        if not self.is_ours:
            raise HostError(
                f"Another installation fires trigger {self.name!r} of {self.task_name}: {self._it.pod['python']}.\n"
                "Deploy it from here, which takes it over, or delete it."
            )

    # --- showing it ---------------------------------------------------------------------------------------------------

    def row(self) -> list[str]:
        """What there is to say, as the columns of `HEAD`."""
        standing, last = self._it.standing, self.last_run
        missed = (
            f"{'at least ' if standing.missed >= MOST else ''}{standing.missed} since {_at(self._time(standing.since))}"
        )
        fired = _at(self.last_fire)
        if self.problem:
            fired = f"could not be fired: {self.problem}"
        elif standing.run:
            fired += f", {last.name} {last.phase.value}" if last is not None else f", {standing.run}"
        return [
            self.task_name,
            self.name,
            in_words(self.automation),
            self._active(),
            _at(self.next_fire),
            fired,
            missed if standing.missed else "",
        ]

    def _active(self) -> str:
        if not isinstance(self.automation, (Cron, FixedRate)):
            return "by hand"
        if not self.is_active:
            return "no"
        if self.is_ours:
            return "yes"
        return (
            "yes, by another installation" if self._is_served() else "no: its installation does not run, deploy again"
        )

    def _is_served(self) -> bool:
        return self.is_ours or session.current().home.is_served(self._it.host)


def _at(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}" if moment.second or moment.microsecond else f"{moment:%Y-%m-%d %H:%M %Z}"


class TriggerList(list[DeployedTrigger]):
    """Triggers; shown as a table."""

    def __repr__(self) -> str:
        return columns([HEAD, *(each.row() for each in self)]) if self else "no triggers"

    def _repr_html_(self) -> str:
        """The table for a notebook; everything in it is escaped."""
        return page("Triggers", ABOUT, self.table())

    def table(self) -> Html:
        """The same without a title around it."""
        if not self:
            return text("none are deployed")
        # names stay whole, and narrow columns are not made narrower for a long one
        return table(HEAD, [each.row() for each in self], title="Triggers", style="overflow-wrap:break-word")


def triggers(task: Task[..., Any] | str | None = None) -> TriggerList:
    """The triggers that were deployed on this machine, by whichever kernel.

    The local Host fires them while it runs. It stays as long as one is active, but does not start with the machine:
    after a restart it begins with the next use of this package, and what was missed till then is counted.

    Args:
        task: of that task alone, or that name.
    """
    here = session.current()
    if not any(registration.saved(here.home.triggers)):
        return TriggerList()
    found = map(registration.Registration.from_json, here.runner.triggers())
    name = task.name if isinstance(task, Task) else task
    made: Sequence[DeployedTrigger] = [DeployedTrigger(each) for each in found if name in (None, each.task)]
    return TriggerList(sorted(made, key=lambda each: (each.task_name, each.name)))
