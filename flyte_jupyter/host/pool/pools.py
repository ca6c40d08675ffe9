"""All pools of a Host: which one a call belongs to, and which have to give way to others."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

from ...pods import PodRequest
from ..running import Machinery
from . import rules
from .pool import Pool


class Pools:
    """One per environment and all that is fixed while it is reusable: session, image, resources, variables, values of
    secrets, interpreter, policy; with the scope "run" also per run.

    Args:
        host: what it makes processes with.
    """

    def __init__(self, host: Machinery) -> None:
        self._host = host
        self._open: dict[str, Pool] = {}
        self._numbers = itertools.count(1)
        host.shares.on_grant = self._give_way

    def __repr__(self) -> str:
        return f"<Pools {list(self._open.values())}>"

    def __bool__(self) -> bool:
        return bool(self._open)

    def of(self, request: PodRequest, environ: Mapping[str, str]) -> Pool:
        """The pool that a request runs in; one of the same environment that has other settings gives way to it.

        Args:
            environ: of the kernel, which may have values of secrets.
        """
        key = self._key(request, environ)
        pool = self._open.get(key)
        if pool is None:
            policy = request.reuse
            assert policy is not None  # only those come here
            id = f"pool{next(self._numbers)}-{policy.environment}"
            place = _place(request)
            older = [each for each in self._open.values() if each.place == place]
            pool = self._open[key] = Pool(policy.environment, id, policy, self._host, self._forget, place)
            for each in older:
                each.drain()
        pool.use()
        return pool

    def _key(self, request: PodRequest, environ: Mapping[str, str]) -> str:
        secrets = [self._host.vault.find(request.session, ref, environ) for ref in request.secrets]
        fixed = [
            _place(request),
            vars(request.reuse),
            request.python,
            request.image,
            sorted(request.env.items()),
            request.secrets,
            secrets,
            request.resources.to_json(),
            request.store,
        ]
        return hashlib.sha256(json.dumps(fixed).encode()).hexdigest()

    def _forget(self, pool: Pool) -> None:
        self._open = {key: each for key, each in self._open.items() if each is not pool}

    def _give_way(self) -> None:
        """Somebody has got something of the machine: who is idle does not keep it from him."""
        admission = self._host.shares.admission
        idle = [(pool, it) for pool in self._open.values() for it in pool.replicas if not it.calls]
        kept = [(it.idle_since, it.memory, any(map(admission.is_used, it.accelerators))) for _, it in idle]
        for n in rules.gives_way(kept, admission.memory_used, admission.memory):
            pool, replica = idle[n]
            pool.end(replica)
            pool.look()

    def look(self) -> None:
        """A parent goes on: its replica may take calls again."""
        for pool in list(self._open.values()):
            pool.look()

    def ended(self, run: str) -> None:
        """A run has ended: so do the pools of its own."""
        self._drain(lambda pool: pool.place[-1] == run)

    def rebuild(self, venv: str) -> None:
        """A virtual environment is to be built anew: who uses it ends."""
        self._drain(lambda pool: venv in pool.images)

    def shutdown(self, id: str) -> bool:
        """End a pool: idle replicas now, busy ones with their last call; whether there is such a pool."""
        return self._drain(lambda pool: pool.id == id)

    def _drain(self, which: Any) -> bool:
        chosen = [pool for pool in self._open.values() if which(pool)]
        for pool in chosen:
            pool.drain()
        return bool(chosen)

    def to_json(self) -> list[dict[str, Any]]:
        return [pool.to_json() for pool in self._open.values()]

    def close(self) -> None:
        """The Host ends, and with it their processes."""
        for pool in self._open.values():
            pool.close()


def _place(request: PodRequest) -> tuple[str | None, ...]:
    """Session, environment, and run: who has a pool of his own."""
    policy = request.reuse
    assert policy is not None
    return (request.session, policy.environment, request.run if policy.per_run else None)
