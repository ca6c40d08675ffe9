"""Tasks that wait, so that a test can do something meanwhile."""

from __future__ import annotations

import time

import flyte_jupyter as flyte

env = flyte.TaskEnvironment(name="waits", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def wait(seconds: float) -> None:
    print("waiting", flush=True)
    time.sleep(seconds)


@env.task
async def wait_for_others(n: int) -> None:
    list(flyte.map(wait, [600.0] * n))
