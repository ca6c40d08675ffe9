"""The stream: a WebSocket over which a front end is told what it watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web, websocket

from ..errors import ConfigError, ConfigValueError, HostError, RunNotFoundError, StoreError

if TYPE_CHECKING:
    from .answers.here import Here
    from .late import Late
    from .shapes.stream import News, Watch
    from .topics import Topic

_MOST_TOPICS = 1000
_LARGEST = 1 << 20
"""Bytes of what a front end sends."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds before a cluster that did not answer is asked again, doubled each time."""
_BROKEN = "Something is wrong here; the server's log says what."


class Stream(WebSocketMixin, websocket.WebSocketHandler, JupyterHandler):
    """One front end. It says what it watches, as `Watch`; it is told `News`."""

    auth_resource = "flyte_jupyter"

    _here: Here

    def initialize(self, late: Late, threads: Executor, patient: Executor) -> None:
        """Take what it is told from there.

        Args:
            threads: for what is done quickly; patient: for what may wait for a cluster.
        """
        self._late, self._threads, self._patient = late, threads, patient
        self._topics: dict[str, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()

    def set_default_headers(self) -> None:
        """A WebSocket has none of Jupyter's."""

    def get_compression_options(self) -> dict[str, Any] | None:
        """As the server's settings say of its own WebSockets."""
        options: dict[str, Any] | None = self.settings.get("websocket_compression_options")
        return options

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Begin, for those who may read."""
        may = self.authorizer.is_authorized(self, self.current_user, "read", self.auth_resource)
        if not await ensure_async(may):
            raise web.HTTPError(403)
        self._here = await asyncio.get_running_loop().run_in_executor(self._threads, self._late.get)
        await super().get(*args, **kwargs)

    def on_message(self, message: str | bytes) -> None:
        """Watch these topics from now on, and no others."""
        try:
            wanted = _wanted(message)
        except ConfigError as error:
            self._refuse("", str(error))
            return
        for name in self._topics.keys() - set(wanted["topics"]):
            self._topics.pop(name).cancel()
        for name in dict.fromkeys(wanted["topics"]):
            if name not in self._topics:
                self._begin(name, max(0, wanted["start"].get(name, 0)))

    def _begin(self, name: str, start: int) -> None:
        from .topics import topic

        try:
            if len(self._topics) >= _MOST_TOPICS:
                raise ConfigValueError(f"At most {_MOST_TOPICS} topics are told at a time.")
            it = topic(name, self._here, start)
        except ConfigError as error:
            self._refuse(name, str(error))
        else:
            self._topics[name] = asyncio.get_running_loop().create_task(self._serve(it))

    async def _serve(self, it: Topic) -> None:
        """Tell a topic until it is over, or not wanted any more."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._tell(it)
                return
            except (asyncio.CancelledError, websocket.WebSocketClosedError):
                return
            except ConfigError as error:
                self._refuse(it.name, str(error))
                if isinstance(error, RunNotFoundError) or not isinstance(error, (HostError, StoreError)):
                    return
            except Exception:
                self.log.exception("The topic %s is not told any more", it.name)
                self._refuse(it.name, _BROKEN)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            it.renew()

    async def _tell(self, it: Topic) -> None:
        loop = asyncio.get_running_loop()
        is_far = await loop.run_in_executor(self._threads, lambda: self._here.is_remote(it.run))
        threads = self._patient if is_far else self._threads
        try:
            await loop.run_in_executor(threads, it.begin)
            while True:
                text = await loop.run_in_executor(threads, lambda: _text(it.make()))
                if text:
                    await self._send(text)
                if it.is_over:
                    return
                if not it.has_more:
                    await asyncio.sleep(it.pace)
                    await it.wait()
        finally:
            it.end()

    async def _send(self, text: str) -> None:
        """Returns when the browser has taken it: what comes meanwhile is folded into the next message."""
        async with self._writing:
            await self.write_message(text)

    def _refuse(self, of: str, message: str) -> None:
        told = json.dumps({"topic": "refused", "of": of, "message": message})
        task = asyncio.get_running_loop().create_task(self._send(told))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # the front end may be gone

    def on_close(self) -> None:
        """Nobody listens any more."""
        for task in self._topics.values():
            task.cancel()
        self._topics.clear()
        super().on_close()


def _wanted(message: str | bytes) -> Watch:
    if len(message) > _LARGEST:
        raise ConfigValueError(f"A message has at most {_LARGEST:,} bytes.")
    try:
        said = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise ConfigValueError(f"The message is no JSON: {error}.") from None
    if isinstance(said, Mapping):
        said = {"start": {}, **said}
    from .shapes.parameters import check
    from .shapes.stream import Watch

    check(said, Watch)
    wanted: Watch = said
    return wanted


def _text(news: News | None) -> str:
    return json.dumps(news) if news is not None else ""
