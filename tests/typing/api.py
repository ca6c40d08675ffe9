"""What type checkers know of declaring, overriding and calling tasks; never run.

Each `type: ignore` is a mistake that a checker finds: unused ones fail the check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from typing_extensions import assert_type

from flyte_jupyter import secrets
from flyte_jupyter.api import run
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import RetryStrategy
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.credentials.table import SecretTable
from flyte_jupyter.deployment.deploy import deploy
from flyte_jupyter.deployment.results import DeploymentList
from flyte_jupyter.deployment.triggers import DeployedTrigger, triggers
from flyte_jupyter.engine.run import Run
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.task import Task

base = TaskEnvironment("base")
env = TaskEnvironment(
    name="env",
    image=Image.from_debian_base(),
    resources=Resources(cpu=1, memory="512Mi"),
    env_vars={"A": "1"},
    secrets=["a", Secret("b")],
    cache="disable",
    depends_on=[base],
    reusable=ReusePolicy(),
    interruptible=True,
)
TaskEnvironment("wrong", retries=3)  # type: ignore[call-arg]
TaskEnvironment("wrong", resources={"cpu": 1})  # type: ignore[arg-type]
TaskEnvironment("wrong", reusable="off")  # type: ignore[arg-type]
TaskEnvironment()  # type: ignore[call-arg]


@env.task
async def bare(x: int) -> str:
    return str(x)


@env.task(short_name="s", retries=3, timeout=60, cache=Cache("auto"), docs="text")
def called(x: int, *, y: str = "") -> float:
    return x + len(y)


env.task(resources=Resources())  # type: ignore[call-overload]
env.task(retires=3)  # type: ignore[call-overload]
env.task(retries="3")  # type: ignore[call-overload]

assert_type(called(1, y="a"), float)
assert_type(called.override(retries=1)(1), float)
called("1")  # type: ignore[arg-type]
called(1, z=1)  # type: ignore[call-arg]

called.override(
    resources=Resources(cpu=4), env_vars={}, reusable="off", retries=0, timeout=0, pod_template=PodTemplate()
)
called.override(name="x")  # type: ignore[call-arg]
called.override(docs="x")  # type: ignore[call-arg]
called.override(retries="3")  # type: ignore[arg-type]

assert_type(called.retries, RetryStrategy)
assert_type(called.timeout, Timeout)
assert_type(called.spec.resources, Resources | None)
assert_type(env.resources, Resources | None)
assert_type(called.effective_config().level("retries"), str)
called.retires  # type: ignore[attr-defined]  # noqa: B018
env.resorces  # type: ignore[attr-defined]  # noqa: B018


async def parent() -> str:
    assert_type(await bare(1), str)
    assert_type(bare(1), Coroutine[Any, Any, str])  # type: ignore[unused-coroutine]
    assert_type(await called.aio(1), float)
    assert_type(await bare.aio(1), str)
    assert_type(await bare.func(1), str)
    await called.aio("1")  # type: ignore[arg-type]
    first, second = await asyncio.gather(bare(1), bare.override(queue="q")(2))
    return first + second


def takes_any(task: Task[..., Any]) -> None: ...


takes_any(bare)
takes_any(called.override())

assert_type(deploy(env, base, dry_run=True, version="1"), DeploymentList)
deploy("env")  # type: ignore[arg-type]
deploy(env, copy_style="some")  # type: ignore[arg-type]
assert_type(triggers(bare)[0], DeployedTrigger)
assert_type(run(triggers()[0], x=1), Run)
assert_type(triggers()[0].fire(x=1), Run)

secrets.set("api-key", group="db")
secrets.set("api-key", "the value")  # type: ignore[call-arg]
secrets.set("api-key", value=b"bytes")  # type: ignore[arg-type]
secrets.add_provider("the safe", lambda secret: secret.title if secret.group == "db" else None)
assert_type(secrets.list(), SecretTable)
