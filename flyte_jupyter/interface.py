"""The inputs and outputs of a task, read from the annotations of its function.

An `Interface` is made when the task is declared and travels with it.  It holds the annotations themselves and nothing
of the function or its module, so that it works in a process that has neither.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import typing
import warnings
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import _ParameterKind as ParameterKind
from typing import TYPE_CHECKING, Any, NoReturn, Optional, TypeAlias, get_args, get_origin

from .annotations import EMPTY, Mismatch, describe, hints, resolve, short, show
from .errors import ConfigTypeError, ConfigValueError, RuntimeDataValidationError, nearest
from .scalars import Checker
from .types import checker, convert

if TYPE_CHECKING:
    from typing_extensions import Self

_Problems: TypeAlias = list[tuple[type[ConfigTypeError] | type[ConfigValueError], str]]

_POSITIONAL = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD)
_VARIADIC = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)


@dataclass(frozen=True)
class Input:
    """One parameter of the function; `default` is `EMPTY` when a value has to be given."""

    annotation: Any
    default: Any = EMPTY
    kind: ParameterKind = ParameterKind.POSITIONAL_OR_KEYWORD

    @property
    def required(self) -> bool:
        """Whether a value has to be given."""
        return self.default is EMPTY


@dataclass(frozen=True)
class Output:
    """One returned value: `o0`, `o1` ..., or the name it has in a NamedTuple."""

    name: str
    annotation: Any


class _Named(dict[str, Any]):
    """Outputs by name; `o0`, `o1` ... find them too when they have names of their own."""

    def __missing__(self, key: str) -> Any:
        if key[:1] == "o" and key[1:].isdecimal() and int(key[1:]) < len(self):
            return list(self.values())[int(key[1:])]
        raise KeyError(key)


class Outputs(tuple[Any, ...]):  # noqa: SLOT001 - a tuple can have no slots, and the names need a place
    """The outputs of a run: a tuple whose items have names (`run.outputs()`, source: Flyte).

    `outputs[0]`, `outputs.o0`, `outputs.named_outputs["o0"]`, and the same with the names of a NamedTuple.
    """

    _names: tuple[str, ...]

    def __new__(cls, values: Iterable[Any] = (), names: Iterable[str] | None = None) -> Self:
        """The values with their names; `o0`, `o1` ... when none are given."""
        self = super().__new__(cls, values)
        self._names = tuple(names) if names is not None else tuple(f"o{i}" for i in range(len(self)))
        return self

    @property
    def named_outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        return _Named(zip(self._names, self, strict=True))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            try:
                return self.named_outputs[name]
            except KeyError:
                pass
        raise AttributeError(f"there is no output {name!r}; there are: {', '.join(self.__dict__.get('_names', ()))}")

    def __repr__(self) -> str:
        return f"Outputs({', '.join(f'{n}={v!r}' for n, v in zip(self._names, self, strict=True))})"


@dataclass(frozen=True)
class Interface:
    """What a task takes and gives (source: Flyte's native interface).

    Attributes:
        inputs: by name, in the order of the function's parameters.
        outputs: () when nothing is returned: `-> None`, or no annotation.
        container: what holds several outputs, `tuple` or a NamedTuple class; None for a single one.
    """

    inputs: Mapping[str, Input]
    outputs: tuple[Output, ...] = ()
    container: Any = None

    @classmethod
    def of(cls, func: Callable[..., Any]) -> Interface:
        """Read the signature of a function, async or not.

        Raises:
            ConfigValueError: it has *args or **kwargs.
            ConfigTypeError: an annotation cannot be looked up or is not a type, or the return annotation is
                `tuple[A]` or `tuple[A, ...]`.
        """
        name = getattr(func, "__name__", repr(func))
        try:
            signature = inspect.signature(func)
        except (TypeError, ValueError, NameError) as e:  # NameError: Python 3.14 evaluates annotations here
            raise ConfigTypeError(f"{name}: its signature cannot be read: {e}.") from None
        scope = _Scope(func, name)
        inputs: dict[str, Input] = {}
        for p in signature.parameters.values():
            if p.kind in _VARIADIC:
                raise ConfigValueError(
                    f"{name}: {p} is not possible in a task, whose inputs all have names."
                    f" Name each input, or take one list or dict."
                )
            annotation = scope.resolve(p.annotation, f"'{p.name}'")
            if p.default is None:
                annotation = _or_none(annotation)
            inputs[p.name] = Input(annotation, p.default, p.kind)
        if signature.return_annotation is EMPTY:
            if _returns_a_value(func):  # found out now, and not when the task has run for an hour
                warnings.warn(
                    f"{name} returns a value but has no return annotation, so the value will be refused (as in Flyte):"
                    " write `-> int` or whatever it is, or `-> Any`.",
                    stacklevel=4,
                )
            return cls(inputs)
        return cls(inputs, *_returned(name, scope.resolve(signature.return_annotation, "the return value")))

    def bind(
        self, task_name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, later: Container[str] = ()
    ) -> dict[str, Any]:
        """All inputs of one call by name: defaults filled in, values converted.

        Args:
            later: inputs whose values are not known yet; they are left out.

        Raises:
            ConfigValueError: inputs are missing, unknown, too many or given twice.
            ConfigTypeError: values do not fit.  Everything wrong with a call is said at once; a ConfigValueError
                then says the wrong types too.
        """
        problems: _Problems = []
        positional, checkers = self._plan
        given = dict(zip(positional, args, strict=False))
        if len(args) > len(positional):
            problems.append((ConfigValueError, self._too_many(len(args), positional)))
        for name, value in kwargs.items():
            if name in given:
                problems.append((ConfigValueError, f"Given twice, by position and by name: {name}"))
            elif name in checkers:
                given[name] = value
            else:
                problems.append((ConfigValueError, f"Unknown input {name!r}; {_hint(name, checkers, given)}"))
        bound: dict[str, Any] = {}
        missing: list[str] = []
        wrong: _Problems = []
        for name, (check, default) in checkers.items():
            if name in later:
                continue
            value = given.get(name, default)
            if value is EMPTY:
                missing.append(name)
                continue
            try:
                bound[name] = check(value)
            except Mismatch as e:
                wrong.append((ConfigTypeError, self._wrong(name, e, "" if name in given else " (its default)")))
        if missing:
            problems.append((ConfigValueError, f"Missing required inputs: {', '.join(missing)}"))
        if problems or wrong:
            _refuse(task_name, problems + wrong, f"{task_name}{self}")
        return bound

    def convert(self, name: str, value: Any) -> Any:
        """A value as the input of that name takes it. Raises `Mismatch`."""
        return self._plan[1][name][0](value)

    def call_with(self, func: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
        """Call the function with the inputs that `bind` gave; what it returns, a coroutine for an async function."""
        by_name = dict(inputs)
        only = [n for n, i in self.inputs.items() if i.kind is ParameterKind.POSITIONAL_ONLY]
        return func(*[by_name.pop(n) for n in only], **by_name)

    def check_outputs(self, task_name: str, value: Any) -> tuple[Any, ...]:
        """The outputs in what the function returned, converted; () for a task without outputs.

        Raises:
            RuntimeDataValidationError: it is not what the return annotation says.
        """
        if not self.outputs:
            if value is None:
                return ()
            raise RuntimeDataValidationError(
                f"{task_name} returned {show(value)}, but declares no outputs: did you miss a return type annotation?"
            )
        values: tuple[Any, ...] = (value,)
        if self.container is not None:
            declared = ", ".join(f"{o.name}: {describe(o.annotation)}" for o in self.outputs)
            if not isinstance(value, tuple):
                raise RuntimeDataValidationError(f"{task_name} returned {show(value)}, not a tuple ({declared}).")
            if len(value) != len(self.outputs):
                raise RuntimeDataValidationError(
                    f"{task_name} returned {len(value)} values, {len(self.outputs)} are declared ({declared})."
                )
            values = value
        converted: list[Any] = []
        wrong: list[str] = []
        for output, check, item in zip(self.outputs, self._output_checkers, values, strict=True):
            try:
                converted.append(check(item))
            except Mismatch as e:
                wrong.append(f"output {output.name}{e.path}: {e.reason}")
        if wrong:
            raise RuntimeDataValidationError(f"{task_name}: {'; '.join(wrong)}") from None
        return tuple(converted)

    def unpack(self, outputs: Sequence[Any]) -> Any:
        """What a caller of the task gets: None, the value, or the tuple or NamedTuple of values."""
        if not self.outputs:
            return None
        if self.container is None:
            return outputs[0]
        return tuple(outputs) if self.container is tuple else self.container._make(outputs)

    def named(self, outputs: Iterable[Any]) -> Outputs:
        """What `run.outputs()` returns; `(None,)` for a task without outputs, as in Flyte."""
        return Outputs(outputs, [o.name for o in self.outputs]) if self.outputs else Outputs((None,))

    def __str__(self) -> str:
        inputs: list[str] = []
        for name, i in self.inputs.items():
            inputs.append(f"{name}: {describe(i.annotation)}{'' if i.required else ' = ' + short(i.default)}")
        outputs = [describe(o.annotation) for o in self.outputs]
        returned = f"tuple[{', '.join(outputs)}]" if self.container is tuple else describe(self.container)
        return f"({', '.join(inputs)}) -> {outputs[0] if outputs and self.container is None else returned}"

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # the checkers are closures: made anew where used

    @functools.cached_property
    def _plan(self) -> tuple[list[str], dict[str, tuple[Checker, Any]]]:
        positional = [n for n, i in self.inputs.items() if i.kind in _POSITIONAL]
        return positional, {n: (checker(i.annotation), i.default) for n, i in self.inputs.items()}

    @functools.cached_property
    def _output_checkers(self) -> list[Checker]:
        return [checker(o.annotation) for o in self.outputs]

    def _too_many(self, given: int, positional: Sequence[str]) -> str:
        by_name = [n for n in self.inputs if n not in positional]
        hint = f"; only by name: {', '.join(by_name)}" if by_name else ""
        return f"Too many positional arguments: {given} given, {len(positional)} possible{hint}"

    def _wrong(self, name: str, mismatch: Mismatch, note: str) -> str:
        where = f"{name}{mismatch.path}: " if mismatch.path else ""
        declared = f" ({name} is {describe(self.inputs[name].annotation)})" if mismatch.path else ""
        return f"Type conversion failed for variable {name!r}{note}: {where}{mismatch.reason}{declared}"


def _refuse(task_name: str, problems: _Problems, declared: str) -> NoReturn:
    """Raise one error for all problems; a ValueError as soon as one of them is."""
    texts = [text for _, text in problems]
    error = next((kind for kind, _ in problems if kind is ConfigValueError), ConfigTypeError)
    said = texts[0] if len(texts) == 1 else f"{len(texts)} problems" + "".join(f"\n  - {text}" for text in texts)
    raise error(f"{task_name}: {said}\nDeclared: {declared}") from None


def _hint(name: str, inputs: Iterable[str], given: Iterable[str]) -> str:
    from .config.spec import OVERRIDE, PARAMS  # only an error needs them

    if name in PARAMS and PARAMS[name].levels & OVERRIDE:
        return f"it is a setting: task.override({name}=...)"
    near = nearest(name, [n for n in inputs if n not in given]) or nearest(name, inputs)
    return f"did you mean {near!r}?" if near else f"there are: {', '.join(inputs) or 'none'}"


def _returns_a_value(func: Callable[..., Any]) -> bool:
    """Whether a `return` with something other than None stands in the function."""
    before: dis.Instruction | None = None
    for instruction in dis.get_instructions(inspect.unwrap(func)) if inspect.isroutine(func) else ():
        if instruction.opname == "RETURN_CONST" and instruction.argval is not None:
            return True
        if instruction.opname == "RETURN_VALUE" and before is not None:
            is_none = before.opname.startswith("LOAD_CONST") and before.argval is None
            if not is_none:
                return True
        before = instruction
    return False


def _or_none(annotation: Any) -> Any:
    """`x: int = None` says int or None, as everybody writes and reads it."""
    try:
        convert(None, annotation)
    except Mismatch:
        return Optional[annotation]  # noqa: UP045 - `|` is not for every annotation
    return annotation


def _returned(name: str, annotation: Any) -> tuple[tuple[Output, ...], Any]:
    if annotation in (type(None), typing.NoReturn, getattr(typing, "Never", None)):
        return (), None
    origin, args = get_origin(annotation), get_args(annotation)
    cls: Any = origin or annotation
    if isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        types_of = hints(cls)
        return tuple(Output(n, types_of.get(n, Any)) for n in cls._fields), cls
    if origin is tuple and args:
        if len(args) < 2 or args[-1] is ...:
            raise ConfigTypeError(
                f"{name}: {describe(annotation)} cannot be the return annotation: a tuple means several outputs, and"
                f" their number has to be known. For one value of any length use list[{describe(args[0])}]."
            )
        return tuple(Output(f"o{i}", a) for i, a in enumerate(args)), tuple
    return (Output("o0", annotation),), None


class _Scope:
    """Where the names in a function's annotations are looked up."""

    def __init__(self, func: Callable[..., Any], name: str) -> None:
        self._func: Any = inspect.unwrap(func)
        self._name = name

    def resolve(self, annotation: Any, of: str) -> Any:
        if type(annotation) is type and annotation is not EMPTY:
            return annotation
        try:
            return resolve(annotation, getattr(self._func, "__globals__", {}), self._locals)
        except Exception as e:
            hint = " Define or import it before the task." if isinstance(e, NameError) else ""
            raise ConfigTypeError(
                f"{self._name}: the annotation of {of}, {annotation!r}, cannot be used: {e}.{hint}"
            ) from None

    @functools.cached_property
    def _locals(self) -> dict[str, Any]:
        """Local names of the defining function, as far as they can be known.

        With `from __future__ import annotations` a name used in an annotation alone is not part of the closure; but
        the task is declared while the frame that made the function is still there, which has the code as a constant.
        """
        found: dict[str, Any] = {}
        code = getattr(self._func, "__code__", None)
        frame = sys._getframe(1)
        while code is not None and frame is not None:
            if any(c is code for c in frame.f_code.co_consts):
                found.update(frame.f_locals if frame.f_locals is not frame.f_globals else {})
                break
            frame = frame.f_back  # type: ignore[assignment]
        cells = getattr(self._func, "__closure__", None) or ()
        for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
            try:
                found[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        found.update({t.__name__: t for t in getattr(self._func, "__type_params__", ())})
        return found
