"""Writes what the front end has to know of us: `python -m flyte_jupyter.server.generate [--check]`."""

from __future__ import annotations

import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from ..config.form import form
from ..config.generate import write
from ..config.spec import ENV, OVERRIDE, TASK
from ..notebook.magics.magics import MAGICS
from . import openapi
from .shapes import actions, cells, machine, runs, stream
from .shapes.parameters import RunName

TYPES = Path(__file__).parents[2] / "labextension" / "src" / "api" / "generated.ts"
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}
_MODULES = (runs, actions, machine, cells, stream)
_ALIASES = {"PhaseName": runs.PhaseName, "News": stream.News}
_HEADER = """\
/* The API of the server and the table of parameters; made by `python -m flyte_jupyter.server.generate`. */

"""
_OPTIONS = """\
/** An option of a magic: what stands for its value ("" for none), its help, words that its value can be. */
export interface IOption {
  metavar: string;
  help: string;
  choices: string[];
  joined: boolean;
}

/** A magic: how it is written, whether its first word is Python, and its options. */
export interface IMagic {
  written: string;
  takesCode: boolean;
  options: string[];
}

"""
_TABLE = """\
/** A parameter of a task, or a field of one: see `flyte_jupyter.config.form`. */
export interface IParameter {
  name: string;
  doc: string;
  levels: string[];
  choices: string[];
  examples: string[];
}

"""


def source() -> str:
    """The text of `generated.ts`."""
    found = [of for module in _MODULES for of in vars(module).values() if is_typeddict(of)]
    aliases = "".join(f"export type {name} = {_parts(of)};\n\n" for name, of in _ALIASES.items())
    return (
        _HEADER
        + "".join(map(_interface, dict.fromkeys(found)))
        + aliases
        + _names()
        + _TABLE
        + _parameters()
        + _magics()
    )


def _names() -> str:
    _, words = get_args(RunName)
    return f"/** What {words.of} looks like. */\nexport const RUN_NAME = /^{words.pattern}$/;\n\n"


def _interface(of: type) -> str:
    fields = "".join(f"  {name}: {_type(hint)};\n" for name, hint in get_type_hints(of).items())
    return f"{_comment(of)}export interface I{of.__name__} {{\n{fields}}}\n\n"


def _comment(of: type) -> str:
    lines = (inspect.getdoc(of) or "").splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _type(hint: Any) -> str:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint == runs.PhaseName:
        return "PhaseName"
    if is_typeddict(hint):
        return f"I{hint.__name__}"
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Literal, Union, types.UnionType):
        return _parts(hint)
    if origin is list:
        inner = _type(of[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if origin is tuple:
        return f"[{', '.join(map(_type, of))}]"
    if origin is dict:
        return f"Record<{_type(of[0])}, {_type(of[1])}>"
    raise TypeError(f"{hint} has no form in TypeScript here.")


def _parts(union: Any) -> str:
    return " | ".join(f"'{one}'" if isinstance(one, str) else _type(one) for one in get_args(union))


def _parameters() -> str:
    wanted = typing.get_type_hints(_Row)
    rows = [{name: each[name] for name in wanted} for each in form(ENV | TASK | OVERRIDE)]
    return f"/** All parameters. */\nexport const PARAMETERS: IParameter[] = {json.dumps(rows, indent=2)};\n"


def _magics() -> str:
    """All magics and their options; an option that several have is the same in all of them."""
    options: dict[str, dict[str, Any]] = {}
    for flag in (flag for magic in MAGICS for flag in magic.parser.flags):
        row = {"metavar": flag.metavar, "help": flag.help, "choices": list(flag.choices), "joined": flag.joined}
        if options.setdefault(flag.name, row) != row:
            raise TypeError(f"{flag.name} is not the same in all magics.")
    magics = [
        {"written": of.written, "takesCode": of.parser.takes_code, "options": [flag.name for flag in of.parser.flags]}
        for of in MAGICS
    ]
    return (
        f"\n{_OPTIONS}/** All options of magics. */\n"
        f"export const OPTIONS: Record<string, IOption> = {json.dumps(options, indent=2)};\n\n"
        f"/** All magics. */\nexport const MAGICS: IMagic[] = {json.dumps(magics, indent=2)};\n"
    )


class _Row(typing.TypedDict):
    name: str
    doc: str
    levels: list[str]
    choices: list[str]
    examples: list[str]


def main(args: list[str]) -> int:
    """As that of `config.generate`."""
    types = {TYPES: source()} if TYPES.parent.is_dir() else {}
    return write({openapi.FILE: openapi.made(), **types}, "flyte_jupyter.server.generate", args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
