"""`flyte.deploy`: the triggers of environments go to the local Host, which starts their runs from then on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Literal, TypeAlias

from .. import session
from ..config.refusal import raise_all, wrong_value
from ..config.values.dependency import Environment
from ..config.values.trigger import OnArtifact, Trigger, TriggeredArtifact, TriggeredPartition, TriggerTime
from ..config.words import together
from ..engine.options import RunOptions
from ..engine.request import new_run_name, pod_request, refused
from ..environment import TaskEnvironment, reached
from ..errors import ConfigError
from ..host.trigger.due import Standing
from ..host.trigger.registration import Registration
from ..image_build import ImageCache, build_images
from ..pack.call import Sealed, seal_for_trigger
from ..pods import ROOT, SecretRef
from ..store import keys
from ..task import Task
from . import cache
from .results import DeployedTask, DeployedTaskEnvironment, Deployment, DeploymentList
from .triggers import DeployedTrigger, triggers

CopyStyle: TypeAlias = Literal["loaded_modules", "all", "none", "custom"]
_COPY_STYLES = ("loaded_modules", "all", "none", "custom")
_NO_EFFECT = ("max_action_concurrency", "annotations", "notifications")


class Deploy:
    """`flyte.deploy(env, ...)`, and `await flyte.deploy.aio(env, ...)`."""

    def __call__(
        self,
        *envs: Environment,
        dry_run: bool = False,
        version: str | None = None,
        interactive_mode: bool | None = None,
        copy_style: CopyStyle = "loaded_modules",
        dryrun: bool | None = None,
    ) -> DeploymentList:
        """Give the triggers of these environments, and of those that they depend on, to the local Host.

        From then on it starts their runs, whether or not this kernel lives, with the code, inputs and environment
        variables of now. It stays as long as a trigger is active, but does not start with the machine: after a restart
        it begins with the next use of this package. Deploying again replaces the triggers of each task; one that a
        task has no more is taken away. Tasks without triggers need no deployment on this machine.
        Images are built first, while somebody is there who sees what goes wrong.

        Args:
            envs: what to deploy.
            dry_run: check everything, and show what would be deployed; `dryrun` is Flyte's older name.
            version: of the tasks, in your words; shown with their triggers.
            interactive_mode, copy_style: as in Flyte; without effect, because code always goes along by value.

        Raises:
            ConfigTypeError, ConfigValueError: not environments, or inputs of a trigger that do not fit its task;
                nothing was deployed.
            CaptureError: something a task needs cannot be sent to its process; nothing was deployed.
            ImageBuildError: an image cannot be built; nothing was deployed.
            HostError: the Host cannot take them.
        """
        del interactive_mode
        packing = _Packing(envs, version, copy_style)
        if dry_run or dryrun:
            return packing.done(dry_run=True)
        if packing.triggers:
            build_images(*packing.envs(), seed_cache=packing.without_images())
        packing.put()
        return packing.done(dry_run=False)

    async def aio(
        self,
        *envs: Environment,
        dry_run: bool = False,
        version: str | None = None,
        interactive_mode: bool | None = None,
        copy_style: CopyStyle = "loaded_modules",
        dryrun: bool | None = None,
    ) -> DeploymentList:
        """The same, without blocking the event loop while images are built."""
        del interactive_mode
        packing = _Packing(envs, version, copy_style)
        if dry_run or dryrun:
            return packing.done(dry_run=True)
        if packing.triggers:
            await build_images.aio(*packing.envs(), seed_cache=packing.without_images())
        packing.put()
        return packing.done(dry_run=False)


deploy = Deploy()


@dataclass(frozen=True)
class _PackedTask:
    """A task whose triggers are ready to be given to the Host."""

    task: Task[..., Any]
    version: str
    code: Sealed | None
    inputs: dict[str, list[bytes | memoryview]]
    triggers: list[Registration]

    def deployed(self, found: Mapping[str, DeployedTrigger]) -> DeployedTask:
        notes = tuple(note for each in self.triggers for note in each.notes)
        return DeployedTask(self.task, self.version, [found[each.id] for each in self.triggers], notes)


class _Packing:
    """Checks and packs; nothing is stored before all is well.

    Attributes:
        triggers: all of them, ready for the Host.

    Raises:
        ConfigTypeError, ConfigValueError, CaptureError: as `flyte.deploy`.
    """

    def __init__(self, envs: Sequence[Environment], version: str | None, copy_style: str) -> None:
        if copy_style not in _COPY_STYLES:
            raise wrong_value("deploy: copy_style", copy_style, ", ".join(_COPY_STYLES))
        seen: set[str] = set()
        self._plans = [plan for env in envs if (plan := reached("deploy", env, seen))]
        self._here = session.current()
        self._version = version
        self._label = f"deploy-{secrets.token_hex(8)}"
        self._problems: list[ConfigError] = []
        self._secrets: dict[SecretRef, str] = {}
        self._packed = {task.name: self._task(task) for env in self.envs() for task in env.tasks.values()}
        raise_all(self._problems)
        self.triggers = [new for task in self._packed.values() for new in task.triggers]

    def envs(self) -> list[TaskEnvironment]:
        return [env for plan in self._plans for env in plan]

    def without_images(self) -> ImageCache:
        """The environments that need no image built."""
        return ImageCache({env.name: None for env in self.envs() if env.image in (None, "auto")})

    def put(self) -> None:
        """Store them, and tell the Host."""
        here = self._here
        for task in self._packed.values():
            if task.code is not None:
                here.engine.put_code(task.code)
            for template, payload in task.inputs.items():
                here.store.put(keys.trigger(template), payload)
        if self._packed:
            new = [each.to_json() for each in self.triggers]
            here.runner.deploy(new, list(self._packed), self._label, self._secrets)

    def done(self, *, dry_run: bool) -> DeploymentList:
        """What there is to show."""
        found = {new.id: DeployedTrigger(new) for new in self.triggers}
        if not dry_run:
            found |= {each.id: each for each in triggers()}
        made = [Deployment({env.name: self._deployed(env, found) for env in plan}) for plan in self._plans]
        return DeploymentList(made, dry_run=dry_run)

    def _deployed(self, env: TaskEnvironment, found: Mapping[str, DeployedTrigger]) -> DeployedTaskEnvironment:
        return DeployedTaskEnvironment(env, [self._packed[name].deployed(found) for name in env.tasks])

    def _task(self, task: Task[..., Any]) -> _PackedTask:
        if not task.triggers:
            return _PackedTask(task, self._version or "", None, {}, [])
        code = self._here.engine.seal_code(task)
        made = _PackedTask(task, self._version or code.digest[:12], code, {}, [])
        for trigger in task.triggers:
            try:
                self._trigger(made, code, trigger)
            except ConfigError as problem:
                said = str(problem).removeprefix(f"{task.name}: ")
                self._problems.append(type(problem)(f"Trigger {trigger.name!r} of {task.name}: {said}"))
        return made

    def _trigger(self, made: _PackedTask, code: Sealed, trigger: Trigger) -> None:
        here, task = self._here, made.task
        given = dict(trigger.inputs or {})
        times = tuple(name for name, value in given.items() if value is TriggerTime)
        later = tuple(n for n, v in given.items() if v is TriggeredArtifact or isinstance(v, TriggeredPartition))
        tried = {name: value for name, value in given.items() if name not in later}
        tried |= dict.fromkeys(times, datetime.now(timezone.utc))
        bound = task.interface.bind(task.name, (), tried, later=later)
        inputs = {**bound, **{name: given[name] for name in (*times, *later)}}

        place = replace(here.place(_options(trigger)), labels={"session": self._label})
        answer, recall = cache.ask(here.engine, task, inputs, place.options, (*times, *later))
        packed = here.engine.pack_inputs(task, code, inputs, answer)
        template = new_run_name()
        pod = pod_request(
            task,
            place,
            run=template,
            action=ROOT,
            parent=None,
            work=(code, packed),
            answer=answer,
        )
        notes = _notes(trigger)
        if place.options.strict and notes:
            raise refused(task.name, "all of it can be done", notes)
        self._secrets |= here.values_for(task, code, code.needs | packed.needs)
        here.screen.check(pod, packed)
        pod = here.screen.masked(pod)
        record = here.recorded(task, template, here.said(inputs), pod)
        record["notes"] += notes
        now = time.time()
        made.inputs[template] = seal_for_trigger(here.home.key(), packed, template=template)
        made.triggers.append(
            Registration(
                task=task.name,
                name=trigger.name,
                description=trigger.description,
                automation=trigger.automation,
                host=here.home.host,
                deployed=now,
                version=made.version,
                template=template,
                pod=pod.to_json(),
                record=record,
                time_inputs=times,
                open_inputs=later,
                recall=recall,
                notes=tuple(notes),
                standing=Standing().activate(now) if trigger.auto_activate else Standing(),
            )
        )


def _options(trigger: Trigger) -> RunOptions:
    names = ("env_vars", "interruptible", "overwrite_cache", "queue", "labels", "custom_context")
    given = {name: getattr(trigger, name) for name in names}
    return RunOptions.of({**session.defaults.to_json(), **{n: v for n, v in given.items() if v is not None}})


def _notes(trigger: Trigger) -> list[str]:
    """What of a trigger is not done on this machine."""
    unused = [name for name in _NO_EFFECT if getattr(trigger, name)]
    said: list[str] = []
    if unused:
        verb = "has" if len(unused) == 1 else "have"
        said.append(f"trigger {trigger.name}: {together(unused)} {verb} no effect on this machine yet.")
    if isinstance(trigger.automation, OnArtifact):
        said.append(f"trigger {trigger.name}: nothing tells of artifacts yet, so it is started by hand: .fire(...).")
    return said
