"""Cache: whether and under which version the result of a task is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from ..accept import boolean, optional, text
from ..field import edited
from ..refusal import ConfigTypeAndValueError, did_you_mean, nearest_number, raise_all, refusal, wrong_type, wrong_value
from .duration import to_timedelta
from .value import Value

Behavior: TypeAlias = Literal["auto", "override", "disable"]

WORDS: dict[str, Behavior] = {
    "auto": "auto",
    "override": "override",
    "disable": "disable",
    **dict.fromkeys(("enable", "enabled", "on", "true", "yes"), "auto"),
    **dict.fromkeys(("off", "false", "no", "none"), "disable"),
}
"""The words for a behaviour, in lower case, with Flyte's aliases."""


_AGE = edited("duration", unit="seconds", least=0, examples=(3600, timedelta(days=7)))


@runtime_checkable
class CachePolicy(Protocol):
    """Computes the version part of a cache key."""

    def get_version(self, salt: str, params: Any) -> str:
        """The version; `params` has `func`, `image` and `code_bundle`."""
        ...


@dataclass(frozen=True, repr=False)
class Cache(Value):
    """How the result of a task is cached.

    Attributes:
        behavior: "auto" (look up, and store under a version computed by the policies), "override" (run and store),
            "disable"; the aliases of Flyte are taken in any case ("enable", "off", ...).
        version_override: this version instead of a computed one.
        serialize: equal calls at the same time wait for the first.
        ignored_inputs: names of inputs that do not count; one name or a tuple.
        salt: part of the computed version.
        policies: one policy or several; None is the default, which looks at the function.
        max_age: how long a result is good: seconds or a timedelta (kept as a timedelta); None and 0 are for ever.

    Raises:
        ConfigValueError: an unknown behaviour, a negative age, or an empty list of policies without `version_override`.
        ConfigTypeError: a value of a wrong type.
    """

    behavior: Behavior = field(metadata=edited("choice", choices=get_args(Behavior)))
    version_override: str | None = field(default=None, metadata=edited("text", examples=("v2",)))
    serialize: bool = field(default=False, metadata=edited("switch"))
    ignored_inputs: tuple[str, ...] | str = field(default=(), metadata=edited("list", examples=(("verbose",),)))
    salt: str = field(default="", metadata=edited("text"))
    policies: Sequence[CachePolicy] | CachePolicy | None = field(default=None, metadata=edited("code"))
    max_age: timedelta | int | None = field(default=None, metadata=_AGE)

    def __post_init__(self) -> None:
        problems = self._canonical(
            behavior=_behavior,
            version_override=optional(text("Cache.version_override")),
            serialize=boolean("Cache.serialize"),
            ignored_inputs=_ignored_inputs,
            salt=text("Cache.salt"),
            policies=optional(_policies),
            max_age=optional(_max_age),
        )
        if self.policies == () and self.version_override is None and self.behavior != "disable":
            allowed = "a policy, or version_override="
            problems.append(wrong_value("Cache.policies", [], allowed, "leave it out for the default"))
        raise_all(problems)

    @classmethod
    def of(cls, value: Any) -> Cache:
        """A Cache, or one of the words.

        Raises:
            ConfigTypeError: neither of these; also a ConfigValueError, because Flyte raises the one at the environment
                and the other in an override.
            ConfigValueError: an unknown word.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(_behavior(value))
        hint = f'write cache="{"auto" if value else "disable"}"' if isinstance(value, bool) else ""
        raise ConfigTypeAndValueError(
            refusal("cache: Invalid cache behavior", value, '"auto", "override", "disable" or Cache(...)', hint)
        )

    def is_enabled(self) -> bool:
        """Whether results are looked up or stored at all."""
        return self.behavior != "disable"

    def get_ignored_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that do not count."""
        return tuple(self.ignored_inputs)


CacheRequest: TypeAlias = "Literal['auto', 'override', 'disable'] | str | Cache"
"""What the parameter `cache` takes."""


def _behavior(word: Any) -> Behavior:
    found = WORDS.get(word.lower()) if isinstance(word, str) else None
    if found is None:
        hint = did_you_mean(word, WORDS) if isinstance(word, str) else ""
        allowed = '"auto", "override" or "disable"'
        raise wrong_value("cache: Invalid cache behavior", word, allowed, hint)
    return found


def _ignored_inputs(value: Any) -> tuple[str, ...]:
    names: tuple[Any, ...] = (value,)
    if isinstance(value, (list, tuple)):
        names = tuple(value)
    elif isinstance(value, (set, frozenset)):
        names = tuple(sorted(value, key=str))
    if not all(isinstance(name, str) for name in names):
        raise wrong_type("Cache.ignored_inputs", value, "a name of an input, or a tuple of names")
    return names


def _policies(value: Any) -> tuple[CachePolicy, ...]:
    policies = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for policy in policies:
        if not isinstance(policy, CachePolicy) or isinstance(policy, type):
            hint = f"write {policy.__name__}()" if isinstance(policy, type) else ""
            raise wrong_type("Cache.policies", policy, "objects with get_version(salt, params), or one of them", hint)
    return policies


def _max_age(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, (int, timedelta)):
        raise wrong_type("Cache.max_age", value, "seconds (int) or a timedelta", nearest_number(value, 0))
    age = to_timedelta(value)
    if age is None:
        raise wrong_value("Cache.max_age", value, f"at most {timedelta.max.days} days")
    if age < timedelta():
        raise wrong_value("Cache.max_age", value, "0 or more", "the nearest is 0")
    return age
