"""Which zygotes live, and for how long; with real ones of this Python."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from flyte_jupyter.host.machine.cgroups import Groups
from flyte_jupyter.host.process.forks import Worker
from flyte_jupyter.host.process.zygote import preload
from flyte_jupyter.host.process.zygotes import Zygotes


def with_zygotes(folder: Path, images: Path, body: Callable[[Zygotes], Awaitable[None]]) -> None:
    """Run something with all zygotes of a Host whose images are in that folder."""

    async def go() -> None:
        with (folder / "log").open("ab") as log:
            all_of_them = Zygotes(log, images, Groups(2, {}))
            try:
                await asyncio.wait_for(body(all_of_them), 30)
            finally:
                all_of_them.end()

    asyncio.run(go())


async def worker_of(all_of_them: Zygotes) -> Worker:
    return await all_of_them.worker(sys.executable, "task", (), plain=True)


def test_zygotes_of_images_end_when_nobody_uses_them(tmp_path: Path) -> None:
    async def body(all_of_them: Zygotes) -> None:
        worker = await worker_of(all_of_them)
        all_of_them._cool()
        assert all_of_them.serves(sys.executable)
        worker.zygote.used -= 1e6
        all_of_them._cool()
        assert not all_of_them.serves(sys.executable)  # whoever comes now gets another one
        assert not worker.zygote.lost
        worker.discard()
        await all_of_them.retire(sys.executable)
        assert worker.zygote.lost
        another = await worker_of(all_of_them)
        assert another.zygote is not worker.zygote
        another.discard()

    with_zygotes(tmp_path, Path(sys.executable).parent, body)


def test_the_zygote_of_the_kernel_stays(tmp_path: Path) -> None:
    async def body(all_of_them: Zygotes) -> None:
        (await worker_of(all_of_them)).discard()
        all_of_them.start(sys.executable).used -= 1e6
        all_of_them._cool()
        assert all_of_them.serves(sys.executable)

    with_zygotes(tmp_path, tmp_path, body)


def test_retiring_waits_for_the_last_worker(tmp_path: Path) -> None:
    async def body(all_of_them: Zygotes) -> None:
        worker = await worker_of(all_of_them)
        retiring = asyncio.create_task(all_of_them.retire(sys.executable))
        await asyncio.sleep(0)  # it begins
        another = await worker_of(all_of_them)
        assert not retiring.done()
        worker.discard()
        await retiring
        assert (True, False) == (worker.zygote.lost, another.zygote.lost)
        another.discard()

    with_zygotes(tmp_path, Path(sys.executable).parent, body)


def test_our_own_modules_are_preloaded_on_systems_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, where a zygote of an image knows what an image is, and nothing of anybody else's."""
    monkeypatch.setattr("sys.platform", "darwin")

    def no_folder(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr("os.listdir", no_folder)
    assert preload(["flyte_jupyter.config.image.image"]) is None
