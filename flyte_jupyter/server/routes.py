"""The routes of the server, below `flyte-jupyter/` of its base URL; handlers and OpenAPI are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

BELOW = "flyte-jupyter"


@dataclass(frozen=True)
class Route:
    """One of them.

    Attributes:
        method: of HTTP; path: with the names of parameters in braces.
        answer: module and name of the function that gives what is answered, as JSON unless it is a `Download`, from
            what the server knows and the parameters that its signature names; it may take its time, and is called on a
            thread.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: str

    @property
    def function(self) -> Callable[..., Any]:
        """What gives the answer, imported when it is first asked for."""
        module, _, name = self.answer.partition(".")
        found: Callable[..., Any] = getattr(import_module(f".{module}", __package__), name)
        return found


ROUTES = (
    Route("GET", "runs", "runs.page"),
    Route("GET", "notebooks", "runs.notebooks"),
    Route("GET", "runs/{run}", "runs.detail"),
    Route("GET", "runs/{run}/card", "runs.card_of"),
    Route("POST", "runs/{run}/cancel", "runs.cancel"),
    Route("POST", "runs/{run}/rerun", "rerun.rerun"),
    Route("GET", "runs/{run}/actions", "actions.rows"),
    Route("GET", "runs/{run}/actions/{action}", "actions.detail"),
    Route("GET", "runs/{run}/actions/{action}/logs", "logs.page"),
    Route("GET", "runs/{run}/actions/{action}/logs/download", "logs.download"),
    Route("GET", "runs/{run}/actions/{action}/report", "actions.report"),
    Route("GET", "environments", "machine.environments"),
    Route("GET", "pools", "machine.pools"),
    Route("POST", "pools/{id}/shutdown", "machine.shutdown"),
    Route("GET", "queues", "machine.queues"),
    Route("GET", "triggers", "machine.triggers"),
    Route("POST", "triggers/{id}", "machine.change"),
    Route("GET", "clusters", "clusters.clusters"),
    Route("POST", "cells", "cells.of_notebook"),
    Route("POST", "prune", "machine.prune"),
    Route("GET", "openapi.json", "openapi.document"),
)
