"""A client of the Host that is told what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ..pods import Event, PodEvent
from .wire import as_message, encode

_BEHIND = 8 * 1024 * 1024
"""A watcher that is this many bytes behind gets phases only, until it has caught up."""


@dataclass(eq=False)
class Watcher:
    """A client that is told what happens to the pods with certain labels.

    Attributes:
        looks_on: whether it is nobody whom a run's end is told for good, such as a server whose page may be closed.
        phases: whether it is told of these alone.
    """

    labels: Mapping[str, str]
    writer: asyncio.StreamWriter
    looks_on: bool = False
    phases: bool = False

    def wants(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(k) == v for k, v in self.labels.items())

    def tell(self, event: Event) -> None:
        is_behind = self.writer.transport.get_write_buffer_size() > _BEHIND
        if not isinstance(event, PodEvent) and (self.phases or is_behind):
            return
        self.writer.write(encode(as_message(event)))
