"""Python for values, and values of Python, without running anything but the names of values.

What is read while somebody types is looked up, never executed: literals, variables, attributes, and calls of the value
types of this package.  Calls of anything else are refused with the way out.
"""

from __future__ import annotations

import ast
import datetime
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.image.image import Image
from ...config.refusal import did_you_mean
from ...config.values import device
from ...config.values.value import Value, pasted
from ...errors import ConfigError, ConfigTypeError, ConfigValueError

PACKAGE = __name__.partition(".")[0]
ALIAS = "flyte"
"""How the package is called where the notebook has no name for it."""

_DATETIME = {name: getattr(datetime, name) for name in ("timedelta", "date", "datetime", "time", "timezone")}
_MAKERS = (
    Image.from_base,
    device.GPU,
    device.TPU,
    device.Neuron,
    device.AMD_GPU,
    device.HABANA_GAUDI,
    device.APPLE_SILICON,
)
_BUILTINS: dict[str, Any] = {"float": float, "frozenset": frozenset, "set": set}
"""What values need that have no literal."""
_IMPORTS = {ALIAS: f"import {PACKAGE} as {ALIAS}", "datetime": "import datetime"}
"""By the name that is used where the notebook has no other."""


@dataclass(frozen=True)
class Code:
    """What an editor holds that is Python: an expression."""

    text: str


@dataclass(frozen=True)
class Names:
    """What things are called in a notebook.

    Attributes:
        variables: those of the notebook.
        in_seconds: durations are written as numbers, which need no import.
    """

    variables: Mapping[str, Any]
    in_seconds: bool = False

    def of(self, found: Callable[[Any], bool]) -> str:
        """The first public name of something; "" when there is none."""
        items = list(self.variables.items())  # the main thread may define some meanwhile
        return next((name for name, value in items if name[:1] != "_" and found(value)), "")

    def package(self) -> str:
        """How this package is called."""
        package = sys.modules[PACKAGE]
        return self.of(lambda value: value is package) or ALIAS

    def datetime(self, name: str) -> str:
        """How something of the module `datetime` is called."""
        own = self.of(lambda value: value is _DATETIME[name])
        return own or f"{self.of(lambda value: value is datetime) or 'datetime'}.{name}"


def imports(source: str, variables: Mapping[str, Any]) -> list[str]:
    """The lines that have to stand above some code, for what it names and the notebook has not."""
    named = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return [line for name, line in _IMPORTS.items() if name in named and name not in variables]


# --- writing ----------------------------------------------------------------------------------------------------------


def write(value: Any, names: Names) -> str:
    """The expression that makes an equal value in the notebook.

    Raises:
        ConfigTypeError: there is none.
    """
    text = pasted(value)
    if isinstance(value, tuple) and value:
        text = f"[{', '.join(map(pasted, value))}]"  # as people write lists
    try:
        written = _emit(ast.parse(text, mode="eval").body, names)
        if pasted(value) == pasted(_as(type(value), read(written, names.variables))):
            return written
    except (SyntaxError, ConfigError):
        pass
    if isinstance(value, tuple) and value:
        return f"[{', '.join(write(item, names) for item in value)}]"
    if own := names.of(lambda other: other is value):
        return own
    raise ConfigTypeError(f"{text[:60]}: there is no code for it\n  give it a name in the notebook")


def _as(kind: type, value: Any) -> Any:
    return tuple(value) if kind is tuple and isinstance(value, list) else value


def call(function: str, args: Sequence[str] = (), kwargs: Mapping[str, str] | None = None) -> str:
    """The call of a function with arguments that are code already."""
    return f"{function}({', '.join([*args, *(f'{name}={code}' for name, code in (kwargs or {}).items())])})"


def text(value: str) -> str:
    """A text as a literal in double quotes, where that needs no more escapes."""
    plain = repr(value)
    return plain if plain[0] == '"' or '"' in value else f'"{plain[1:-1]}"'


def seconds(duration: datetime.timedelta) -> int | float:
    """A duration as a number, a whole one where it is one."""
    found = duration.total_seconds()
    return int(found) if found.is_integer() else found


def plain(value: Any) -> str:
    """A literal as code."""
    return text(value) if isinstance(value, str) else repr(value)


def _emit(node: ast.expr, names: Names) -> str:
    """The code of a value as its repr gives it, with names as the notebook has them."""
    match node:
        case ast.Constant(str() as value):
            return text(value)
        case ast.Name(name):
            return f"{names.package()}.{name}" if name in dir(sys.modules[PACKAGE]) else name
        case ast.Call(ast.Attribute(ast.Name("datetime"), "timedelta"), _, keywords) if names.in_seconds:
            return repr(seconds(datetime.timedelta(**{str(k.arg): ast.literal_eval(k.value) for k in keywords})))
        case ast.Attribute(ast.Name("datetime"), name) if name in _DATETIME:
            return names.datetime(name)
        case ast.Attribute(owner, name):
            return f"{_emit(owner, names)}.{name}"
        case ast.Call(function, args, keywords):
            given = {str(k.arg): _emit(k.value, names) for k in keywords}
            return call(_emit(function, names), [_emit(arg, names) for arg in args], given)
        case ast.Dict(keys, values):
            pairs = ((_emit(k, names) if k else "**", _emit(v, names)) for k, v in zip(keys, values, strict=True))
            return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
        case ast.List(items):
            return f"[{', '.join(_emit(item, names) for item in items)}]"
        case ast.Tuple(items):
            return f"({', '.join(_emit(item, names) for item in items)}{',' if len(items) == 1 else ''})"
        case _:
            return ast.unparse(node)


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(source: str) -> ast.expr:
    """The expression that stands in a text. Raises ConfigValueError."""
    try:
        return ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as e:
        said = getattr(e, "msg", None) or str(e)
        raise ConfigValueError(
            f"{_cut(source)}: not Python: {said}\n  allowed: a value, or a name of the notebook"
        ) from None


def read(source: str, variables: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Raises:
        ConfigValueError: it is no Python, names what is not there, or calls what is not made to be called here.
        ConfigError: what the value type that is called says.
    """
    return value_of(parse(source), variables)


def value_of(node: ast.expr, variables: Mapping[str, Any]) -> Any:
    """The value of an expression that is parsed already; see `read`."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return _looked_up(name, variables)
        case ast.Attribute(owner, name):
            return _attribute(value_of(owner, variables), name, node)
        case ast.Subscript(owner, key) if not isinstance(key, ast.Slice):
            return _tried(operator.getitem, (value_of(owner, variables), value_of(key, variables)), {}, node)
        case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, ast.Constant(int() | float() | complex() as number)):
            return -number if isinstance(sign, ast.USub) else number
        case ast.List(items):
            return [value_of(item, variables) for item in items]
        case ast.Tuple(items):
            return tuple(value_of(item, variables) for item in items)
        case ast.Set(items):
            return _tried(set, ([value_of(item, variables) for item in items],), {}, node)
        case ast.Dict(keys, values) if None not in keys:
            pairs = [(value_of(k, variables), value_of(v, variables)) for k, v in zip(keys, values, strict=True) if k]
            return _tried(dict, (pairs,), {}, node)
        case ast.Call(function, args, keywords):
            found = value_of(function, variables)
            if _is_maker(found):
                given = {k.arg: value_of(k.value, variables) for k in keywords if k.arg}
                return _tried(found, [value_of(arg, variables) for arg in args], given, node)
    raise ConfigValueError(
        f"{_cut(ast.unparse(node))}: is not computed here\n  give its value a name in a cell, and write the name"
    )


def _looked_up(name: str, variables: Mapping[str, Any]) -> Any:
    for place in (variables, _BUILTINS, _modules()):
        if name in place:
            return place[name]
    near = did_you_mean(name, [other for other in list(variables) if other[:1] != "_"])
    raise ConfigValueError(f"{name}: there is no such name in the notebook\n  {near or 'a text is in quotes'}")


def _modules() -> dict[str, Any]:
    """What a cell of ours imports where the notebook has not."""
    return {ALIAS: sys.modules[PACKAGE], "datetime": datetime}


def _attribute(owner: Any, name: str, node: ast.expr) -> Any:
    if name.startswith("_"):
        raise ConfigValueError(f"{ast.unparse(node)}: what begins with _ is private")
    try:
        return getattr(owner, name)
    except Exception as e:
        raise ConfigValueError(f"{ast.unparse(node)}: {type(e).__name__}: {e}") from None


def own_names(node: ast.expr, variables: Mapping[str, Any]) -> list[str]:
    """The variables in an expression that the user has made, so that it says more than its value."""
    named = dict.fromkeys(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    values = {name: variables[name] for name in named if name in variables}
    return [name for name, value in values.items() if not (inspect.ismodule(value) or _is_maker(value))]


def _is_maker(found: Any) -> bool:
    """Whether calling it does nothing but make a value."""
    if isinstance(found, type):
        return issubclass(found, Value) or found in _DATETIME.values() or found in _BUILTINS.values()
    return any(found == maker for maker in _MAKERS)


def _tried(maker: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any], node: ast.expr) -> Any:
    try:
        return maker(*args, **kwargs)
    except ConfigError:
        raise
    except Exception as e:
        raise ConfigValueError(f"{_cut(ast.unparse(node))}: {type(e).__name__}: {e}") from None


def _cut(source: str) -> str:
    return source if len(source) <= 60 else f"{source[:59]}…"
