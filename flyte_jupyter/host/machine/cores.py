"""Which cores an attempt runs on, so that neighbours get different ones: pure."""

from __future__ import annotations

import math
from collections.abc import Iterable


class Cores:
    """Hands out cores by their ids.

    Whole cores go to where the least is asked for, fractions to where they still fit in beside other fractions, so that
    whole ones stay free. More may be asked for than there is; then neighbours share.
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self._load = dict.fromkeys(sorted(ids), 0.0)
        self._shares: dict[str, dict[int, float]] = {}
        self._resting: set[str] = set()

    def __repr__(self) -> str:
        return f"<Cores {self._load}>"

    def __len__(self) -> int:
        return len(self._load)

    def take(self, name: str, number: float, most: float) -> frozenset[int]:
        """Cores for someone.

        Args:
            number: that are counted; most: that it may run on, the further ones shared with others.
        """
        whole, fraction = divmod(number, 1.0)
        share: dict[int, float] = {}
        for core in self._emptiest(share)[: int(whole)]:
            share[core] = 1.0
        if fraction > 1e-6 and len(share) < len(self._load):
            share[self._fitting(share, fraction)] = fraction
        for core in self._emptiest(share)[: max(0, math.ceil(most - 1e-6) - len(share))]:
            share[core] = 0.0
        self._shares[name] = share
        self._add(name, 1)
        return frozenset(share)

    def give_back(self, name: str) -> None:
        """It has ended."""
        if name not in self._resting:
            self._add(name, -1)
        self._resting.discard(name)
        self._shares.pop(name, None)

    def rest(self, name: str) -> None:
        """It does not use them for now, and may find them taken when it goes on."""
        if name in self._shares and name not in self._resting:
            self._add(name, -1)
            self._resting.add(name)

    def go_on(self, name: str) -> None:
        """It uses them again."""
        if name in self._resting:
            self._resting.discard(name)
            self._add(name, 1)

    def _emptiest(self, share: Iterable[int]) -> list[int]:
        taken = set(share)
        return sorted((core for core in self._load if core not in taken), key=lambda core: (self._load[core], core))

    def _fitting(self, share: Iterable[int], fraction: float) -> int:
        """The fullest one that still has room for it; else the emptiest."""
        candidates = self._emptiest(share)
        fitting = [core for core in candidates if self._load[core] + fraction <= 1.0 + 1e-6]
        return max(fitting, key=lambda core: (self._load[core], -core)) if fitting else candidates[0]

    def _add(self, name: str, sign: int) -> None:
        for core, part in self._shares.get(name, {}).items():
            self._load[core] = max(0.0, self._load[core] + sign * part)
