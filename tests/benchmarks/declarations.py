"""How long declaring and overriding take; the floor is what Python needs to make as many plain frozen objects."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flyte_jupyter as flyte
from flyte_jupyter.config.spec import OVERRIDE, PARAMS, TASK
from tests.benchmarks.measures import Measured

TASKS = 1000

_Plain = dataclasses.make_dataclass("_Plain", [(name, Any, None) for name in PARAMS], frozen=True, kw_only=True)
"""A frozen dataclass with a field for each parameter, and nothing that looks at them."""


class _Docs:
    """A link, as users write one."""

    name = "docs"
    icon_uri = None

    def get_link(self, run_name: str, *names: Any, **more: Any) -> str:
        return f"https://example.org/{run_name}"


def environment() -> flyte.TaskEnvironment:
    """An environment with everything that it takes, but what would make its tasks reusable."""
    return flyte.TaskEnvironment(
        "benchmark-declare",
        image=flyte.Image.from_debian_base().with_pip_packages("numpy"),
        description="For the benchmark.",
        resources=flyte.Resources(cpu=(1, 2), memory=("1Gi", "2Gi"), gpu="T4:1", disk="10Gi", shm="auto"),
        env_vars={"MODE": "fast"},
        secrets=["token", flyte.Secret("password", "db")],
        include=["data.csv"],
    )


def settings() -> dict[str, Any]:
    """Everything that a decorator takes, made anew as in a cell."""
    return {
        "service_account": "worker",
        "cache": flyte.Cache("auto", ignored_inputs=("y",), max_age=timedelta(days=7), salt="1"),
        "pod_template": flyte.PodTemplate({"containers": [{"name": "primary"}]}, labels={"team": "birds"}),
        "interruptible": True,
        "queue": "gpu",
        "short_name": "declared",
        "retries": flyte.RetryStrategy(3, flyte.Backoff(timedelta(seconds=1), 2, timedelta(minutes=5))),
        "timeout": flyte.Timeout(60, timedelta(minutes=5), timedelta(hours=1)),
        "max_inline_io_bytes": 1024,
        "links": (_Docs(),),
        "report": True,
        "triggers": flyte.Trigger(
            "nightly", flyte.Cron("30 2 * * *", "Europe/Berlin"), inputs={"x": flyte.TriggerTime}
        ),
        "docs": "What it is for.",
        "entrypoint": True,
        "produces_artifacts": False,
    }


def declarations(rounds: int = 9) -> Measured:
    """So many tasks, each with all that a decorator takes, in one environment."""
    assert settings().keys() == {name for name, p in PARAMS.items() if p.levels & TASK}
    env = environment()

    def declared() -> None:
        for _ in range(TASKS):

            @env.task(**settings())
            async def task(x: Any, y: int = 2) -> int:
                return y

    def plain() -> None:
        for _ in range(TASKS):
            _Plain(**settings())

    return _in_turns(declared, plain, rounds, 1000)


def overrides(rounds: int = 30, times: int = 1000) -> Measured:
    """One override of a few settings, in microseconds: the mean of many."""
    env = environment()

    @env.task(retries=3, timeout=60)
    async def task(x: int) -> int:
        return x

    changed: dict[str, Any] = {"retries": 0, "timeout": 5, "queue": "quick", "env_vars": {"MODE": "test"}}
    assert all(PARAMS[name].levels & OVERRIDE for name in changed)
    plain = _Plain(retries=3, timeout=60)

    def overridden() -> None:
        for _ in range(times):
            task.override(**changed)

    def replaced() -> None:
        for _ in range(times):
            dataclasses.replace(plain, **changed)

    return _in_turns(overridden, replaced, rounds, 1_000_000 / times)


def _in_turns(action: Callable[[], None], floor: Callable[[], None], rounds: int, factor: float) -> Measured:
    measured = Measured()
    action()
    for _ in range(rounds):
        gc.collect()  # what the round before left behind is not this one's
        measured.floors.append(_seconds(floor) * factor)
        measured.samples.append(_seconds(action) * factor)
    return measured


def _seconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
