"""Python for values, and values of Python, without running anything but the names of values.

What is read while somebody types is looked up, never executed: literals, variables, attributes, and calls of the value
types of this package.  Calls of anything else are refused with the way out.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime
import enum
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.image.image import Image
from ...config.refusal import did_you_mean
from ...config.values import device
from ...config.values.value import Value, pasted
from ...environment import environments
from ...errors import ConfigError, ConfigTypeError, ConfigValueError
from ...markup import cut

PACKAGE = __name__.partition(".")[0]
OPEN = "..."
"""What stands in a line for what has to be given and is not, and for what is not shown."""

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
_IMPORTS = {
    "flyte": f"import {PACKAGE} as flyte",
    PACKAGE: f"import {PACKAGE}",
    "datetime": "import datetime",
    "dt": "import datetime as dt",
}
"""By the name that is used where the notebook has no other: the first of two, unless it is taken."""


@dataclass(frozen=True)
class Code:
    """What an editor holds that is Python: an expression."""

    text: str


@dataclass(frozen=True)
class Names:
    """What things are called in a notebook; `variables` are those of the notebook."""

    variables: Mapping[str, Any]

    def all(self, found: Callable[[Any], bool]) -> Iterator[str]:
        """The public names of what is looked for."""
        items = list(self.variables.items())  # the main thread may define some meanwhile
        return (name for name, value in items if name[:1] != "_" and found(value))

    def of(self, found: Callable[[Any], bool]) -> str:
        """The first of them; "" when there is none."""
        return next(self.all(found), "")

    def public(self, name: str) -> str:
        """How something of this package is called."""
        own = getattr(sys.modules[PACKAGE], name)
        return self.of(lambda value: value is own) or f"{self.package()}.{name}"

    def package(self) -> str:
        """How this package is called."""
        return self._module(sys.modules[PACKAGE], "flyte", PACKAGE)

    def datetime(self, name: str) -> str:
        """How something of the module `datetime` is called."""
        own = self.of(lambda value: value is _DATETIME[name])
        return own or f"{self._module(datetime, 'datetime', 'dt')}.{name}"

    def _module(self, module: Any, name: str, other: str) -> str:
        return self.of(lambda value: value is module) or (other if name in self.variables else name)


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
    if isinstance(value, enum.Enum):
        text = f"{names.of(lambda found: found is type(value)) or type(value).__name__}.{value.name}"
    for emit in (_Emitted(names, in_seconds=True), _Emitted(names)):
        try:
            written = emit.code(ast.parse(text, mode="eval").body)
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


def seconds(span: Any) -> Any:
    """A duration as a number, whole where it is, since a number needs no import; anything else as it is."""
    found = span.total_seconds() if isinstance(span, datetime.timedelta) else span
    return int(found) if isinstance(found, float) and found == int(found) else found


@dataclass(frozen=True)
class _Emitted:
    """The code of a value as its repr gives it, with names as the notebook has them.

    Attributes:
        in_seconds: whether durations are numbers, which needs no import.
    """

    names: Names
    in_seconds: bool = False

    def code(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(str() as value):
                return text(value)
            case ast.Name(name):
                return self.names.public(name) if name in dir(sys.modules[PACKAGE]) else name
            case ast.Attribute(ast.Name("datetime"), name) if name in _DATETIME:
                return self.names.datetime(name)
            case ast.Attribute(owner, name):
                return f"{self.code(owner)}.{name}"
            case ast.Call(ast.Attribute(ast.Name("datetime"), "timedelta")) if self.in_seconds:
                return str(seconds(value_of(node, _modules())))
            case ast.Call(function, args, keywords):
                given = {str(k.arg): self.code(k.value) for k in keywords}
                return call(self.code(function), [self.code(arg) for arg in args], given)
            case ast.Dict(keys, values):
                pairs = ((self.code(k) if k else "**", self.code(v)) for k, v in zip(keys, values, strict=True))
                return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
            case ast.List(items):
                return f"[{', '.join(map(self.code, items))}]"
            case ast.Tuple(items):
                return f"({', '.join(map(self.code, items))}{',' if len(items) == 1 else ''})"
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
            f"{cut(source, 60)}: not Python: {said}\n  allowed: a value, or a name of the notebook"
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
        f"{cut(ast.unparse(node), 60)}: is not computed here\n  give its value a name in a cell, and write the name"
    )


def _looked_up(name: str, variables: Mapping[str, Any]) -> Any:
    for place in (variables, _BUILTINS, _modules()):
        if name in place:
            return place[name]
    near = did_you_mean(name, [other for other in list(variables) if other[:1] != "_"])
    raise ConfigValueError(f"{name}: there is no such name in the notebook\n  {near or 'a text is in quotes'}")


def _modules() -> dict[str, Any]:
    """What a cell of ours imports where the notebook has not."""
    return {"flyte": sys.modules[PACKAGE], PACKAGE: sys.modules[PACKAGE], "datetime": datetime, "dt": datetime}


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
        ours = issubclass(found, Value) or found in _DATETIME.values() or found in _BUILTINS.values()
        return ours or _is_plain_dataclass(found)
    return inspect.isroutine(found) and any(found == maker for maker in (*_MAKERS, environments))


def _is_plain_dataclass(found: type) -> bool:
    """Whether it is a dataclass that does nothing of its own when an instance is made."""
    made = getattr(found, "__dataclass_params__", None)
    if made is None or getattr(found.__init__, "__code__", None) is None:  # type: ignore[misc]  # nobody overrides it
        return False
    own = ("__post_init__", "__new__", "__getattribute__", *(() if made.frozen else ("__setattr__",)))
    is_generated = found.__init__.__code__.co_filename == "<string>"  # type: ignore[misc]
    is_plain = is_generated and all(getattr(found, name, None) is getattr(object, name, None) for name in own)
    return is_plain and all(f.default_factory in _FACTORIES for f in dataclasses.fields(found))


_FACTORIES = (dataclasses.MISSING, list, dict, set, tuple, str, int, float)


def _tried(maker: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any], node: ast.expr) -> Any:
    try:
        return maker(*args, **kwargs)
    except ConfigError:
        raise
    except Exception as e:
        raise ConfigValueError(f"{cut(ast.unparse(node), 60)}: {type(e).__name__}: {e}") from None
