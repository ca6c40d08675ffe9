"""The sampler, with real processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from flyte_jupyter.host.sampler import Sampler
from flyte_jupyter.vitals import Sample

BUSY_BEFORE = """
import time
while time.process_time() < 1:
    pass
print("ready", flush=True)
time.sleep(60)
"""


def test_it_looks_while_there_is_somebody_and_not_after_that() -> None:
    async def story() -> None:
        sampler, told = Sampler(), list[Sample]()
        assert "<Sampler [0 attempts, idle]>" == repr(sampler)
        it = subprocess.Popen([sys.executable, "-c", "while True: pass"])  # noqa: ASYNC220 - at once
        worker: Any = SimpleNamespace(pid=it.pid, group=None)
        try:
            with sampler.watching(worker, told.append, is_new=True), sampler.watching(None, told.append, is_new=True):
                assert "<Sampler [1 attempts, looks]>" == repr(sampler)
                await _until(lambda: len(told) >= 2)
        finally:
            it.kill()
            it.wait()
        assert all(0.05 < sample.cores < 1.2 for sample in told)
        assert told[0].at < told[1].at
        await _until(lambda: repr(sampler) == "<Sampler [0 attempts, idle]>")

    asyncio.run(story())


def test_a_process_that_has_done_other_things_before_is_not_blamed_for_them() -> None:
    async def story() -> None:
        sampler, told = Sampler(), list[Sample]()
        it = subprocess.Popen([sys.executable, "-c", BUSY_BEFORE], stdout=subprocess.PIPE)  # noqa: ASYNC220 - at once
        try:
            assert it.stdout is not None
            it.stdout.readline()
            worker: Any = SimpleNamespace(pid=it.pid, group=None)
            with sampler.watching(worker, told.append, is_new=False):
                await _until(lambda: bool(told))
        finally:
            it.kill()
            it.communicate()
        assert 0.1 > told[0].cores

    asyncio.run(story())


async def _until(condition: Any) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not true within 30 s")
