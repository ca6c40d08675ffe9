"""A dict that cannot be changed: tasks share what a value of the configuration holds."""

from __future__ import annotations

from typing import Any, NoReturn

from ...errors import ConfigTypeError


class FrozenDict(dict[str, Any]):
    """A dict that refuses to be changed, and has a hash where its values have one."""

    def __hash__(self) -> int:  # type: ignore[override]  # it cannot change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ConfigTypeError(
            "a dict of the configuration cannot be changed in place, because tasks share it\n"
            '  give a new one: env.env_vars = {**env.env_vars, "NAME": "value"}, or my_task.override(env_vars=...)'
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse
