"""What is watched over the stream."""

from __future__ import annotations

import asyncio
from typing import Any

from flyte_jupyter.server.topics import Topic


class Listening(Topic):
    """One that listens to `places`, where it is called back."""

    def __init__(self, places: list[Any]) -> None:
        super().__init__("any", None)  # type: ignore[arg-type]  # it asks for nothing
        self._places = places

    def begin(self) -> None:
        self._places.append(self.wake)
        self._listen(lambda: self._places.remove(self.wake))


def test_one_that_begins_once_more_listens_again() -> None:
    """As when a cluster answers in the end."""

    async def told() -> list[int]:
        places: list[Any] = []
        it, heard = Listening(places), []
        for step in (it.begin, it.end, it.begin, it.renew, it.begin, it.end):
            step()
            heard.append(len(places))
        return heard

    assert [1, 0, 0, 0, 1, 0] == asyncio.run(told())


def test_what_comes_while_a_message_is_made_wakes_again() -> None:
    async def waits() -> list[bool]:
        it, woken = Listening([]), []
        it.tick = 0.01
        for has_news in (True, False, True):
            if has_news:
                it.wake()
            await it.wait()
            woken.append(it._news.is_set())
        it.wake()
        it.wake()
        await asyncio.sleep(0)
        return [*woken, it._news.is_set()]

    assert [False, False, False, True] == asyncio.run(waits())
