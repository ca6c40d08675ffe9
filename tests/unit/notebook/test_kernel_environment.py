from __future__ import annotations

import re
from pathlib import Path

import flyte_jupyter as flyte
from flyte_jupyter.notebook.kernel.environment import REQUIREMENTS, kernel_task, limits

ROOT = Path(__file__).parents[3]


def test_an_image_gets_what_this_package_needs() -> None:
    section = (ROOT / "pyproject.toml").read_text().partition("\ndependencies = [")[2].partition("\n]")[0]
    assert REQUIREMENTS == tuple(re.findall(r'^  "(.*)",$', section, re.MULTILINE))
    image = flyte.Image.from_debian_base().with_pip_packages("iniconfig")
    task = kernel_task(flyte.TaskEnvironment("with_image", image=image))
    assert image.with_pip_packages(*REQUIREMENTS) == task.image


def test_limits_stay_and_nothing_is_reserved() -> None:
    assert flyte.Resources(cpu=(0, 2), memory=("0", "1Gi"), gpu=1) == limits(flyte.Resources(2, "1Gi", gpu=1))
    assert flyte.Resources(cpu=(0, 4), disk="1Gi") == limits(flyte.Resources(cpu=(1, 4), disk="1Gi"))
    assert flyte.Resources() == limits(flyte.Resources())


def test_a_kernel_keeps_no_place_in_a_queue_and_is_no_result_to_be_kept() -> None:
    env = flyte.TaskEnvironment("busy", queue="one", cache="auto", env_vars={"A": "1"}, secrets=["token"])
    task = kernel_task(env)
    assert (None, False, {"A": "1"}, "busy.kernel") == (task.queue, task.cache.is_enabled(), task.env_vars, task.name)
    assert ["token"] == [secret.key for secret in task.spec.secrets]
