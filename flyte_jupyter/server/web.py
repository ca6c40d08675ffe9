"""The routes as handlers of a Jupyter server."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from http.client import responses
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..errors import ConfigError, HostError, RunNotFoundError, StoreError
from .here import Download, Here
from .parameters import Parameter, check, parameters, read, unknown
from .routes import BELOW, ROUTES, Route

RESOURCE = "flyte_jupyter"
"""What an authorizer is asked for: may this user "read" (GET) or "write" (POST) it."""
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


@dataclass(frozen=True)
class Asked:
    """A route with what its function wants to know."""

    route: Route
    parameters: list[Parameter]


class Handler(APIHandler):
    """One path; `methods` are the routes there are for it."""

    methods: Mapping[str, Asked]
    auth_resource = RESOURCE

    def initialize(self, here: Here, threads: Executor) -> None:
        self._here, self._threads = here, threads

    async def _answer(self, **path: str) -> None:
        asked = self.methods[self.request.method or ""]
        try:
            given = self._given(asked.parameters, path)
            call = asyncio.get_running_loop().run_in_executor
            answer = await call(self._threads, lambda: asked.route.answer(self._here, **given))
        except Exception as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
            if status == 500:
                self.log.exception("%s %s failed", self.request.method, self.request.path)
            self._refuse(
                status, str(error) if status != 500 else "Something is wrong here; the server's log says what."
            )
            return
        if isinstance(answer, Download):
            self._send(answer)
        else:
            await self.finish(json.dumps(answer))

    def _given(self, known: list[Parameter], path: Mapping[str, str]) -> dict[str, Any]:
        """What the request says, checked. Raises `ConfigError`."""
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
        check(body, parameter.type)
        return body

    def _send(self, file: Download) -> None:
        self.set_header("Content-Type", f"{file.type}; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{file.name}"')
        self.finish(file.data)

    def _refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.finish(json.dumps({"topic": "refused", "of": "", "message": message}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Jupyter refuses, in the same form."""
        error = kwargs.get("exc_info", (None, None))[1]
        said = getattr(error, "log_message", None) or getattr(error, "reason", None)
        self._refuse(status_code, str(said or responses.get(status_code, "It was refused.")))


def handlers(here: Here, threads: Executor) -> Iterator[tuple[str, type[Handler], dict[str, Any]]]:
    """One for each path, as an extension names them: pattern, class, what it is made with."""
    paths: defaultdict[str, dict[str, Asked]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method] = Asked(route, parameters(route.answer, route.path))
    for path, methods in paths.items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
        verbs = {method.lower(): _verb() for method in methods}
        made = type("Handler", (Handler,), {"methods": methods, "__doc__": path, **verbs})
        yield rf"{BELOW}/{pattern}", made, {"here": here, "threads": threads}


def _verb() -> Callable[..., Awaitable[None] | None]:
    async def answer(self: Handler, **path: str) -> None:
        await self._answer(**path)

    return web.authenticated(authorized(answer))
