"""What a code object does and which names it uses; comments, line numbers and layout make no difference."""

from __future__ import annotations

import dis
import marshal
import re
import types
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .canonical import MARSHALLED, SCALARS, buffer, joined, scalar, unordered

Chain: TypeAlias = "tuple[str, ...]"

_JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_CONSTANTS = frozenset(dis.hasconst)
_SILENT = frozenset({"NOP", "EXTENDED_ARG", "CACHE", "RESUME"})
"""They are there for line numbers, large arguments and the interpreter's own use."""
_FUSED = re.compile(r"(?:LOAD|STORE)_FAST(?:_BORROW)?")
"""Two of these in one name: Python fuses them when they stand on the same line."""
LAID_OUT = frozenset({"__firstlineno__", "__static_attributes__"})
"""Attributes of a class, from Python 3.13, that tell where it stands, or have no order."""
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_GLOBALS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})


@dataclass(frozen=True)
class Import:
    """`import name`, or `from name import these`, somewhere in a function; `level` counts the dots before the name."""

    name: str
    level: int
    these: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What is known of a code object, with those inside it.

    Attributes:
        digest: the same for code that does the same in the same order, under the same names.
        names: the globals that it reads; for each the chains of attributes that it takes of it right away, () where it
            does something else with it.
        imports: what it imports when it runs.
    """

    digest: bytes
    names: dict[str, set[Chain]]
    imports: frozenset[Import]


_known: weakref.WeakKeyDictionary[types.CodeType, Facts] = weakref.WeakKeyDictionary()
"""A code object never changes, and equal ones do the same."""


def facts(code: types.CodeType) -> Facts:
    """The facts of a code object."""
    found = _known.get(code)
    if found is None:
        found = _known[code] = _read(code)
    return found


def _read(code: types.CodeType) -> Facts:
    names: dict[str, set[Chain]] = {}
    imports: set[Import] = set()
    inner = [facts(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    for each in inner:
        for name, chains in each.names.items():
            names.setdefault(name, set()).update(chains)
        imports |= each.imports
    steps, number = _steps(code)
    for i, (word, argument) in enumerate(steps):
        if word in _GLOBALS:
            names.setdefault(argument, set()).add(_chain(steps, i + 1))
        elif word == "IMPORT_NAME":
            level, these = steps[i - 2][1], steps[i - 1][1]
            imports.add(Import(argument, level, tuple(these or ())))
    signature = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    variables = (code.co_name, code.co_varnames, code.co_freevars, code.co_cellvars)
    entries = getattr(dis.Bytecode(code), "exception_entries", ())  # before Python 3.11 they are instructions
    handlers = [number.get(at, -1) for entry in entries for at in (entry.start, entry.end, entry.target)]
    told = [(word, argument if type(argument) in MARSHALLED else (_constant(argument),)) for word, argument in steps]
    digest = buffer(marshal.dumps((signature, variables, told, handlers), 2))
    return Facts(digest, names, frozenset(imports))


def _steps(code: types.CodeType) -> tuple[list[tuple[str, Any]], dict[int, int]]:
    """(operation, argument) without what only layout has put there, and the number of the step at each offset."""
    kept: list[tuple[str, Any]] = []
    number: dict[int, int] = {}
    jumps: list[tuple[int, int]] = []
    for found in dis.get_instructions(code):
        number[found.offset] = len(kept)
        word, argument = found.opname, found.arg or 0
        fused = _FUSED.findall(word)
        if word in _SILENT:
            continue
        if len(fused) == 2:
            kept += zip(fused, found.argval, strict=True)
        elif word == "RETURN_CONST":
            kept += [("LOAD_CONST", code.co_consts[argument]), ("RETURN_VALUE", 0)]
        elif found.opcode in _JUMPS:
            jumps.append((len(kept), found.argval))
            kept.append((word.replace("_NO_INTERRUPT", ""), 0))
        elif word == "STORE_NAME" and found.argval in LAID_OUT:
            kept[-1] = ("LOAD_CONST", 0)
        elif found.opcode in _CONSTANTS:
            kept.append((word, code.co_consts[argument]))
        elif isinstance(found.argval, str):
            kept.append((word, found.argval))
        else:
            kept.append((word, argument))
    for at, target in jumps:
        kept[at] = (kept[at][0], number.get(target, -1))
    return kept, number


def _chain(steps: list[tuple[str, Any]], at: int) -> Chain:
    chain: list[str] = []
    for word, argument in steps[at:]:
        if word not in _ATTRIBUTES:
            break
        chain.append(argument)
    return tuple(chain)


def _constant(value: Any) -> bytes:
    if type(value) in SCALARS:
        return scalar(value)
    if isinstance(value, types.CodeType):
        return facts(value).digest
    if isinstance(value, frozenset):
        return unordered("frozenset", map(_constant, value))
    return joined(type(value).__name__, map(_constant, _items(value)))


def _items(value: Any) -> Iterable[Any]:
    """Of a tuple, or of a slice (a constant from Python 3.14 on)."""
    return (value.start, value.stop, value.step) if isinstance(value, slice) else value


def defaults_of(func: types.FunctionType) -> dict[str, Any]:
    """The defaults of a function's parameters, by name."""
    positional = func.__code__.co_varnames[: func.__code__.co_argcount]
    defaults = func.__defaults__ or ()
    return {
        **dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True)),
        **(func.__kwdefaults__ or {}),
    }
