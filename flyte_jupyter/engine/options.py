"""What holds for all actions of a run, whatever their tasks say (source: Flyte's run context)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config.accept import boolean, str_or_none
from ..config.cluster import MODES, one_of
from ..config.refusal import raise_all, wrong_type
from ..config.values.envvars import env_vars_of
from ..errors import ConfigError, ConfigTypeError, nearest

if TYPE_CHECKING:
    from typing import TypedDict

    class RunSettings(TypedDict, total=False):
        """What `flyte.with_runcontext(...)` takes; a test compares it with `RunOptions`."""

        env_vars: dict[str, str] | None
        queue: str | None
        interruptible: bool | None
        overwrite_cache: bool | None
        disable_run_cache: bool | None
        labels: dict[str, str] | None
        custom_context: dict[str, str] | None
        strict: bool | None


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Given with `flyte.with_runcontext(...)`, and passed on to what the run's tasks call.

    Attributes:
        env_vars: laid over those of every task.
        queue: for tasks that name none.
        interruptible: instead of what the tasks say; None leaves it to them.
        overwrite_cache: every task runs, and its result replaces what is cached.
        disable_run_cache: nothing is read from the cache, and nothing is put there.
        labels: of the run, for finding it.
        custom_context: text by name that every task of the run can read.
        strict: what the runner cannot do is refused, instead of being said on the card.
        mode: "local" for this machine, "remote" for the cluster; None for what the settings file says.
    """

    env_vars: Mapping[str, str] = field(default_factory=dict)
    queue: str | None = None
    interruptible: bool | None = None
    overwrite_cache: bool = False
    disable_run_cache: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    custom_context: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    mode: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOptions:
        """The options of keywords; None is "not given".

        Raises:
            ConfigTypeError, ConfigValueError: unknown names and values that are not accepted, all in one error.
        """
        accepted: dict[str, Any] = {}
        problems: list[ConfigError] = []
        for name, value in given.items():
            accept = _ACCEPT.get(name)
            if accept is None:
                hint = nearest(name, _ACCEPT)
                said = f"did you mean {hint!r}?" if hint else f"options: {', '.join(_ACCEPT)}"
                problems.append(ConfigTypeError(f"{name}: not an option of a run here\n  {said}"))
            elif value is not None:
                try:
                    accepted[name] = accept(value)
                except ConfigError as problem:
                    problems.append(problem)
        raise_all(problems)
        return cls(**accepted)

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain data."""
        return {name: value for name, value in vars(self).items() if value != getattr(_DEFAULT, name)}


def _texts(name: str) -> Any:
    def accept(value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
            raise wrong_type(name, value, "a dict of str by str")
        return dict(value)

    return accept


def mode(value: Any) -> str:
    """A mode of a run. Raises `ConfigError`."""
    return one_of("mode", value, MODES)


_ACCEPT = {
    "env_vars": env_vars_of,
    "queue": str_or_none("queue"),
    "interruptible": boolean("interruptible"),
    "overwrite_cache": boolean("overwrite_cache"),
    "disable_run_cache": boolean("disable_run_cache"),
    "labels": _texts("labels"),
    "custom_context": _texts("custom_context"),
    "strict": boolean("strict"),
    "mode": mode,
}
_DEFAULT = RunOptions()
OPTIONS = frozenset(_ACCEPT)
"""Their names."""
