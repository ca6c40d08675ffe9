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
        module, _, name = self.answer.rpartition(".")
        found: Callable[..., Any] = getattr(import_module(f".{module}", __package__), name)
        return found


ROUTES = (
    Route("GET", "runs", "answers.runs.page"),
    Route("GET", "notebooks", "answers.runs.notebooks"),
    Route("GET", "runs/{run}", "answers.runs.detail"),
    Route("GET", "runs/{run}/card", "answers.runs.card_of"),
    Route("POST", "runs/{run}/cancel", "answers.runs.cancel"),
    Route("POST", "runs/{run}/rerun", "answers.rerun.rerun"),
    Route("GET", "runs/{run}/actions", "answers.actions.rows"),
    Route("GET", "runs/{run}/actions/{action}", "answers.actions.detail"),
    Route("GET", "runs/{run}/actions/{action}/logs", "answers.logs.page"),
    Route("GET", "runs/{run}/actions/{action}/logs/download", "answers.logs.download"),
    Route("GET", "runs/{run}/actions/{action}/report", "answers.actions.report"),
    Route("GET", "environments", "answers.machine.environments"),
    Route("GET", "pools", "answers.machine.pools"),
    Route("POST", "pools/{id}/shutdown", "answers.machine.shutdown"),
    Route("GET", "queues", "answers.machine.queues"),
    Route("GET", "triggers", "answers.machine.triggers"),
    Route("POST", "triggers/{id}", "answers.machine.change"),
    Route("GET", "clusters", "answers.clusters.clusters"),
    Route("POST", "cells", "answers.cells.of_notebook"),
    Route("POST", "prune", "answers.machine.prune"),
    Route("GET", "openapi.json", "openapi.document"),
)
