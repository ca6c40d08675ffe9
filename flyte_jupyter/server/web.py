"""The routes as handlers of a Jupyter server."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from functools import cache
from http.client import responses
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..errors import ConfigError, HostError, RunNotFoundError, StoreError
from .routes import BELOW, ROUTES, Route

if TYPE_CHECKING:
    from .answers.here import Download
    from .late import Late
    from .shapes.parameters import Parameter

RESOURCE = "flyte_jupyter"
"""What an authorizer is asked for: may this user "read" (GET) or "write" (POST) it."""
_BROKEN = "Something is wrong here; the server's log says what."
_FAR = ("answers.rerun.rerun",)
"""What takes its time although it is of no cluster."""
_READ = ("answers.cells.of_notebook",)
"""What is posted and changes nothing."""
_LARGEST = 8 << 20
"""Bytes of a request's body: a notebook's cells are the most that is sent."""


class TooLarge(ConfigError):
    """A request that is larger than any that makes sense."""


_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (TooLarge, 413),
    (RunNotFoundError, 404),
    (HostError, 502),
    (StoreError, 502),
    (ConfigError, 400),
)
"""The first that fits; whatever else goes wrong is our fault, and logged."""


@cache
def _asked(route: Route) -> tuple[Callable[..., Any], list[Parameter]]:
    """What answers, and what it wants to know."""
    from .shapes.parameters import parameters

    return route.function, parameters(route.function, route.path)


class Handler(APIHandler):
    """One path; `methods` are the routes there are for it."""

    methods: Mapping[str, Route]
    auth_resource = RESOURCE

    def initialize(self, late: Late, threads: Executor, patient: Executor) -> None:
        """Take what answers are made from.

        Args:
            threads: for what is done quickly; patient: for what may wait for a cluster.
        """
        self._late, self._threads, self._patient = late, threads, patient

    def update_api_activity(self) -> None:
        """Whoever looks on does not use the server: a hub would keep it for ever, since front ends ask all the time."""
        if self.request.method == "POST" and self.methods["POST"].answer not in _READ:
            super().update_api_activity()

    async def _answer(self, **path: str) -> None:
        from .answers.here import Download

        try:
            answer = await self._made(self.methods[self.request.method or ""], path)
        except Exception as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
            if status == 500:
                self.log.exception("%s %s failed", self.request.method, self.request.path)
            self._refuse(status, str(error) if status != 500 else _BROKEN)
            return
        if isinstance(answer, Download):
            self._send(answer)
        else:
            await self.finish(json.dumps(answer))

    async def _made(self, route: Route, path: Mapping[str, str]) -> Any:
        """The answer. Raises `ConfigError`."""
        call = asyncio.get_running_loop().run_in_executor
        here = await call(self._threads, self._late.get)
        function, known = await call(self._threads, _asked, route)
        given = self._given(known, path)
        run = given.get("run", "")
        is_far = route.answer in _FAR or await call(self._threads, here.is_remote, run)
        return await call(self._patient if is_far else self._threads, lambda: function(here, **given))

    def _given(self, known: list[Parameter], path: Mapping[str, str]) -> dict[str, Any]:
        """What the request says, checked. Raises `ConfigError`."""
        from .shapes.parameters import read, unknown

        unknown(self.request.query_arguments, known)
        given: dict[str, Any] = {}
        for each in known:
            if each.place == "body":
                given["body"] = self._body(each)
            elif (text := path.get(each.name) or self.get_query_argument(each.name, None)) is not None:
                given[each.name] = read(each, text)
            elif each.is_required:
                raise ConfigError(f"{each.name} is missing.")
        return given

    def _body(self, parameter: Parameter) -> Any:
        if len(self.request.body) > _LARGEST:
            raise TooLarge(f"The body has {len(self.request.body):,} bytes; at most {_LARGEST:,} are allowed.")
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"The body is no JSON: {error}.") from None
        from .shapes.parameters import check

        check(body, parameter.type)
        return body

    def _send(self, file: Download) -> None:
        self.set_header("Content-Disposition", f'attachment; filename="{file.name}"')
        self.finish(file.data, set_content_type=f"{file.type}; charset=utf-8")

    def _refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.finish(json.dumps({"topic": "refused", "of": "", "message": message}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Jupyter refuses, in the same form."""
        error = kwargs.get("exc_info", (None, None))[1]
        said = getattr(error, "log_message", None) or getattr(error, "reason", None)
        self._refuse(status_code, str(said or responses.get(status_code, "It was refused.")))


def handlers(given: Mapping[str, Any]) -> Iterator[tuple[str, type[Handler], Mapping[str, Any]]]:
    """One for each path, as an extension names them: pattern, class, what it is made with."""
    paths: defaultdict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method] = route
    for path, methods in paths.items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
        verbs = {method.lower(): _verb() for method in methods}
        made = type("Handler", (Handler,), {"methods": methods, "__doc__": path, **verbs})
        yield rf"{BELOW}/{pattern}", made, given


def _verb() -> Callable[..., Awaitable[None] | None]:
    async def answer(self: Handler, **path: str) -> None:
        await self._answer(**path)

    return web.authenticated(authorized(answer))
