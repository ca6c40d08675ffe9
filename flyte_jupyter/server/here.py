"""What answers are made from."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.run import Run
from ..errors import RunNotFoundError
from ..home import Home
from ..sites import Sites
from ..store import keys


@dataclass(frozen=True)
class Download:
    """A file to be saved."""

    name: str
    data: bytes
    type: str = "text/plain"


class Here:
    """This user's runs and machine, as a server sees them. Any thread may ask.

    Args:
        home: the state folder; root: the folder that the server serves, whose notebooks have relative paths.
    """

    def __init__(self, home: Home, root: Path) -> None:
        self.home, self.root = home, root
        self.sites = Sites(home, secrets.token_hex(8))
        self.store = self.sites.local.store

    def __repr__(self) -> str:
        return f"<Here {self.home.path}>"

    def record(self, run: str) -> dict[str, Any]:
        """What was written down of a run. Raises `RunNotFoundError`."""
        try:
            record: dict[str, Any] = json.loads(bytes(self.store.get(keys.record(run))))
        except KeyError:
            raise RunNotFoundError(f"There is no run {run!r} here; it may have been deleted.") from None
        return record

    def run(self, name: str) -> Run:
        """A run by its name. Raises `RunNotFoundError`; `HostError` when its cluster cannot be reached."""
        record = self.record(name)
        return Run(self.sites.another(record, {"run": name}), record, reattached=True)

    def close(self) -> None:
        """Let go of everything; what runs, runs on."""
        self.sites.close()
