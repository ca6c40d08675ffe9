"""What `flyte.deploy` gives back (names and forms: Flyte's)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..config.show import muted, page
from ..environment import TaskEnvironment
from ..markup import el
from ..task import Task
from .triggers import ABOUT, DeployedTrigger, TriggerList


@dataclass(frozen=True)
class DeployedTask:
    """A task as it was deployed.

    Attributes:
        task: the task; version: what was given, else the beginning of the digest of its code; "" without triggers.
        deployed_triggers: those that are fired from now on.
        notes: what of them is not done on this machine.
    """

    task: Task[..., Any]
    version: str
    deployed_triggers: list[DeployedTrigger] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def get_name(self) -> str:
        """The full name of the task."""
        return self.task.name

    def summary_repr(self) -> str:
        """One line."""
        return f"DeployedTask(name={self.task.name}, version={self.version})"

    def table_repr(self) -> list[tuple[str, str]]:
        """What there is to say, by name."""
        names = ",".join(trigger.name for trigger in self.deployed_triggers)
        return [("type", "task"), ("name", self.task.name), ("version", self.version), ("triggers", names)]


@dataclass(frozen=True)
class DeployedTaskEnvironment:
    """An environment as it was deployed, with all its tasks."""

    env: TaskEnvironment
    deployed_entities: list[DeployedTask]

    def get_name(self) -> str:
        """The name of the environment."""
        return self.env.name

    def summary_repr(self) -> str:
        """One line."""
        tasks = ", ".join(task.summary_repr() for task in self.deployed_entities)
        return f"Deployment(env=[{self.env.name}], entities=[{tasks}])"

    def env_repr(self) -> list[tuple[str, str]]:
        """What there is to say of the environment, by name."""
        return [("environment", self.env.name), ("image", str(self.env.image))]

    def table_repr(self) -> list[list[tuple[str, str]]]:
        """What there is to say of its tasks."""
        return [task.table_repr() for task in self.deployed_entities]


@dataclass(frozen=True)
class Deployment:
    """An environment and what it depends on, as they were deployed.

    Attributes:
        envs: by name.
    """

    envs: dict[str, DeployedTaskEnvironment]

    def summary_repr(self) -> str:
        """One line."""
        return f"Deployment(envs=[{', '.join(env.summary_repr() for env in self.envs.values())}])"

    def env_repr(self) -> list[list[tuple[str, str]]]:
        """What there is to say of the environments."""
        return [env.env_repr() for env in self.envs.values()]

    def table_repr(self) -> list[list[tuple[str, str]]]:
        """What there is to say of the tasks."""
        return [row for env in self.envs.values() for row in env.table_repr()]

    def tasks(self) -> Iterator[DeployedTask]:
        """All tasks of all its environments."""
        for env in self.envs.values():
            yield from env.deployed_entities


class DeploymentList(list[Deployment]):
    """What `flyte.deploy` has done; shown as a table of triggers with the times of their next runs."""

    def __init__(self, deployments: list[Deployment], *, dry_run: bool) -> None:
        super().__init__(deployments)
        self.dry_run = dry_run

    def triggers(self) -> TriggerList:
        """The triggers that were deployed."""
        return TriggerList(t for deployment in self for task in deployment.tasks() for t in task.deployed_triggers)

    def _notes(self) -> list[str]:
        tasks = [task for deployment in self for task in deployment.tasks()]
        said = [f"{task.task.name}: {note}" for task in tasks for note in task.notes]
        without = [task.task.name for task in tasks if not task.deployed_triggers]
        if without:
            said.append(f"without triggers, so nothing to deploy on this machine: {', '.join(without)}")
        return said

    def _title(self) -> str:
        return "Would be deployed" if self.dry_run else "Deployed"

    def __repr__(self) -> str:
        return "\n".join([f"{self._title()}: {ABOUT}", repr(self.triggers()), *self._notes()])

    def _repr_html_(self) -> str:
        return page(self._title(), ABOUT, self.triggers().table(), *(el("div", muted(note)) for note in self._notes()))
