"""What a machine has, and what of a request it does not."""

from __future__ import annotations

import os
import sys
from typing import Any

import psutil
import pytest

from flyte_jupyter.host.machine.accelerators import Accelerator
from flyte_jupyter.host.machine.machine import Machine, Means, shortfalls
from flyte_jupyter.pods import Requirements

GIB = 2**30
LAPTOP = Machine((0, 1, 2, 3), 4.0, 16 * GIB)
ALL = Means(memory="together", affinity=True, quota=True)
T4 = [Accelerator("GPU", str(n), str(n), model="Tesla T4") for n in range(2)]


def test_this_machine() -> None:
    here = Machine.here()
    assert set(here.cores) <= set(range(os.cpu_count() or 1))
    assert 0 < here.cpu <= len(here.cores)
    assert 0 < here.memory <= psutil.virtual_memory().total
    if sys.platform == "linux":
        assert set(here.cores) == os.sched_getaffinity(0)


def said(means: Means = ALL, gpus: list[Accelerator] | None = None, **asked: Any) -> list[str]:
    return shortfalls(
        Requirements(**asked), LAPTOP, means, gpus=T4 if gpus is None else gpus, disk=("/tmp", 10 * GIB), shm=GIB
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"cpu": 4.0, "memory": 16 * GIB, "gpu": 2, "model": "T4", "disk": 10 * GIB, "shm": GIB},
        {"cpu": 0.5},
        {"cpu": 1.0, "cpu_limit": 99.0},
        {"gpu": 0},
    ],
)
def test_what_is_there_needs_no_words(asked: dict[str, Any]) -> None:
    assert [] == said(**asked)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"cpu": 64.0}, "cpu: oversubscribed: it asks for 64 cores, and runs alone on the 4 here"),
        ({"memory": 64 * GIB}, "memory: oversubscribed: it asks for 64.00 GiB of the 16.00 GiB here"),
        ({"gpu": 3}, "gpu: it asks for 3 × GPU; this kernel has 2 here"),
        ({"gpu": 1, "model": "A100"}, "gpu: it asks for 1 × A100; here is Tesla T4"),
        ({"gpu": 1, "partition": "1g.5gb"}, "gpu: partition 1g.5gb is not made here; it gets whole GPUs"),
        (
            {"gpu": 1, "device": "TPU", "model": "V5E"},
            "gpu: V5E is not handed out here; the task sees what the kernel sees",
        ),
        ({"disk": 20 * GIB}, "disk: it asks for 20.00 GiB; 10.00 GiB are free in /tmp"),
        ({"shm": 2 * GIB}, "shm: it asks for 2.00 GiB; 1.00 GiB are free in /dev/shm"),
    ],
)
def test_what_is_not_there_is_said(asked: dict[str, Any], expected: str) -> None:
    assert [expected] == said(**asked)


@pytest.mark.parametrize(
    ("means", "asked", "expected"),
    [
        (
            Means(memory="each", affinity=True, quota=False),
            {"memory": GIB},
            "memory: the limit is kept for each process, not for all of them together",
        ),
        (
            Means(memory="", affinity=False, quota=False),
            {"memory": GIB},
            "memory: the limit is not kept on this system",
        ),
        (
            Means(memory="each", affinity=True, quota=False),
            {"cpu": 1.5},
            "cpu: 1.5 is kept to 2: there are no control groups for the CPU here",
        ),
        (
            Means(memory="", affinity=False, quota=False),
            {"cpu": 2.0},
            "cpu: this system keeps nobody to some cores; libraries are told how many threads to use",
        ),
    ],
)
def test_what_is_not_kept_is_said(means: Means, asked: dict[str, Any], expected: str) -> None:
    assert [expected] == said(means, **asked)


def test_all_of_it_is_said() -> None:
    assert 5 == len(said(cpu=64.0, memory=64 * GIB, gpu=9, disk=99 * GIB, shm=99 * GIB))


def test_without_a_gpu() -> None:
    assert ["gpu: it asks for 1 × A100; this kernel has 0 here"] == said(gpus=[], gpu=1, model="A100")
