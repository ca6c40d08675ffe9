"""What the value types have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import ConfigError, ConfigTypeError
from ..refusal import did_you_mean, gathered, raise_all


class Value:
    """Shown with the fields that differ from their default, so that the text could be pasted back."""

    takes_any_name: ClassVar[bool] = False
    """Whether keywords that are no fields mean something."""

    if not TYPE_CHECKING:  # a checker knows the fields from the dataclass

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            if not cls.takes_any_name and not kwargs.keys() <= cls.__dataclass_fields__.keys():
                _refuse_unknown(cls, args, kwargs)
            return object.__new__(cls)

    def _canonical(self, **rules: Callable[[Any], Any]) -> list[ConfigError]:
        """Replace each field by what its rule makes of it. What the rules refuse is returned, not raised."""
        problems: list[ConfigError] = []
        for name, rule in rules.items():
            with gathered(problems):
                object.__setattr__(self, name, rule(getattr(self, name)))
        return problems

    def __repr__(self) -> str:
        parts = []
        required = True
        for f in dataclasses.fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, f.name)
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            required = required and default is dataclasses.MISSING
            if required:
                parts.append(pasted(value))
            elif type(value) is not type(default) or value != default:
                parts.append(f"{f.name}={pasted(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        from ..show import value

        return value(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        from ..show import pretty

        pretty(self, printer)


def pasted(value: Any) -> str:
    """`value` as Python that makes it again: paths as text, models of the Kubernetes client by what is set in them."""
    if isinstance(value, PurePath):
        return repr(str(value))
    if isinstance(value, list):
        return f"[{', '.join(map(pasted, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{pasted(key)}: {pasted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple) and type(value) is tuple:
        return f"({', '.join(map(pasted, value))}{',' if len(value) == 1 else ''})"
    if hasattr(value, "openapi_types"):
        given = {name: getattr(value, name) for name in value.openapi_types}
        inner = ", ".join(f"{name}={pasted(item)}" for name, item in given.items() if item is not None)
        return f"{type(value).__name__}({inner})"
    return repr(value)


def _refuse_unknown(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse names that are no fields, together with what is wrong with the others."""
    names = list(cls.__dataclass_fields__)
    problems: list[ConfigError] = []
    known = {}
    for name, value in kwargs.items():
        if name in names:
            known[name] = value
        else:
            hint = did_you_mean(name, names)
            text = f"{name}: not a parameter of {cls.__name__}(...)\n  parameters here: {', '.join(names)}"
            problems.append(ConfigTypeError(f"{text}\n  {hint}" if hint else text))
    try:
        cls(*args, **known)
    except ConfigError as problem:
        problems.append(problem)
    except TypeError:
        pass  # something required is missing, perhaps because it was misspelt
    raise_all(problems)
