"""Texts that look like credentials, and are about to travel with a task, or to be shown.

Two things give a text away: its shape, where that is a kind of token that nobody writes by accident, or its name
together with a value that looks random. A text that is neither is left alone: an alarm for ordinary code would be
worse than none.
"""

from __future__ import annotations

import dis
import json
import math
import re
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cloudpickle import cloudpickle as internals

from ..config.values.secret import Secret
from ..credentials.mask import MASKED, SEARCHED
from ..errors import CaptureError
from .bytecode import defaults_of

_BEFORE, _WORD = r"(?<![A-Za-z0-9_-])", "[A-Za-z0-9_-]"
_SHAPES = [  # of a kind of token: what it is, what every one has in it, and its shape
    ("an API key", "sk-", rf"sk-(?={_WORD}*\d){_WORD}{{20,}}"),
    ("an API key", "AIza", rf"AIza{_WORD}{{35}}"),
    ("an API key", "k_live_", r"[sr]k_live_[A-Za-z0-9]{20,}"),
    ("a GitHub token", "gh", r"gh[pousr]_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "github_pat_", rf"github_pat_{_WORD}{{50,}}"),
    ("a GitLab token", "glpat-", rf"glpat-{_WORD}{{20,}}"),
    ("a Hugging Face token", "hf_", r"hf_[A-Za-z]{30,}"),
    ("a Slack token", "xox", r"xox[abeprs]-[A-Za-z0-9-]{20,}"),
    ("a token of npm", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("a token of PyPI", "pypi-AgE", rf"pypi-AgE{_WORD}{{50,}}"),
    ("a signed token", "eyJ", rf"eyJ{_WORD}{{10,}}\.eyJ{_WORD}{{10,}}\.{_WORD}{{10,}}"),
    ("a private key", "-----BEGIN", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\s\\'\"]{48,}"),
]
_KNOWN = [(what, mark, shape if mark.startswith("-") else _BEFORE + shape) for what, mark, shape in _SHAPES]
"""Not compiled: that is needed where a mark is found, and takes memory in every process."""
_NAME = re.compile(
    r"(?:^|_)(?:api_?key|access_?key|secret(?:_?key)?|token|password|passwd|passphrase|private_?key|credentials?)$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"pass(?:word|wd|phrase)$", re.IGNORECASE)
_PASSWORD_LIKE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[!-~]{8,}")
_TOKEN_LIKE = re.compile(r"(?=.*\d.*\d)(?=.*[A-Za-z])[A-Za-z0-9_./+=:~@-]{16,}")
_PLACE = re.compile(
    r"(?:~|\.{1,2})[/\\]|[A-Za-z]:[/\\]|/[^/]+/|[a-z][a-z\d+.-]*://[^@?=]*$|[\w./-]+/[\w.-]*\.[A-Za-z]{1,7}$"
)
"""A path or an address without anything secret in it, also of a file that holds a credential."""
_ENTROPY = 3.0
"""Bits per character; a word has less, random letters and digits have more."""
_MAX_ITEMS = 100
_TELLING = 12
"""Characters of a value that is surely no word like others."""

allowed: set[str] = set()
"""Names that the user has said are of nothing secret."""


def kind(name: str, text: str) -> str | None:
    """What a text looks like, "a GitHub token", going by its shape and its name; None for nothing secret."""
    if name in allowed:
        return None
    shape = _shape(text)
    if shape is not None or not _NAME.search(name) or _PLACE.match(text):
        return shape
    if _PASSWORD.search(name):
        return "a password" if _PASSWORD_LIKE.fullmatch(text) else None
    return "a credential" if _TOKEN_LIKE.fullmatch(text) and _entropy(text) >= _ENTROPY else None


def _shape(text: str) -> str | None:
    """The kind of token that a text is by its shape alone."""
    return next((what for what, mark, shape in _KNOWN if mark in text and re.search(shape, text)), None)


def without_known(text: str) -> str:
    """A text, such as the source of a cell, without the tokens in it that nobody writes by accident."""
    for _, mark, shape in _KNOWN:
        if mark in text:
            text = re.sub(shape, lambda found: MASKED + "\n" * found[0].count("\n"), text)  # lines keep their numbers
    return text


def check(task: str, functions: Iterable[types.FunctionType]) -> None:
    """Refuse functions that are about to travel with something that looks like a credential.

    Args:
        task: the name of the task that they belong to.

    Raises:
        CaptureError: naming the variable, never its value.
    """
    for function in functions:
        for path, name, text in _texts(function):
            found = kind(name, text)
            if found is not None:
                inner = f" → {function.__name__}()" if function.__name__ != task.rpartition(".")[2] else ""
                raise CaptureError(
                    f"{task}{inner} → {path}: looks like {found}, and would be stored with the task.\n"
                    f"Name it as a secret, secrets=[{_key(name)!r}], and read it from os.environ in the task. "
                    f"If it is none: flyte.secrets.allow({name!r})."
                )


def check_values(task: str, parts: Sequence[bytes | memoryview], values: Mapping[Secret, str]) -> None:
    """Refuse code, or what it captures, that has the value of one of its own secrets in it.

    Short values without digits are let pass: they are words that stand everywhere.

    Raises:
        CaptureError: naming the secret.
    """
    for secret, value in values.items():
        if _tells_in(value, parts):
            where = f"os.environ[{secret.as_env_var!r}]" if secret.as_env_var else "its file"
            raise CaptureError(
                f"{task}: the value of the secret {secret.title!r} stands in its code, in the text around it or in "
                f"what it captures, and would be stored with it.\n"
                f"Take it out, and read it from {where} in the task."
            )


def check_given(task: str, what: str, parts: Sequence[bytes | memoryview], known: Iterable[tuple[str, str]]) -> None:
    """Refuse what a task is given that has the value of a secret in it; short words pass, as in `check_values`.

    Args:
        what: it is given, such as "inputs"; parts: the same as data; known: names and values of secrets.

    Raises:
        CaptureError: naming the secret.
    """
    for title, value in sorted(known):
        if _tells_in(value, parts):
            raise CaptureError(
                f"{task}: the value of the secret {title!r} stands in its {what}, and would be stored with them.\n"
                f"Leave it out: a task that needs it names it, secrets=[...], and reads it itself."
            )


def _tells_in(value: str, parts: Sequence[bytes | memoryview]) -> bool:
    """Whether it stands there as it is, in a pickle, or as JSON, and is no word that stands everywhere."""
    if len(value) < _TELLING and not _PASSWORD_LIKE.fullmatch(value):
        return False
    forms = (value.encode("utf-8", "surrogatepass"), json.dumps(value)[1:-1].encode())
    searched = (bytes(part) for part in parts if memoryview(part).nbytes <= SEARCHED)
    return any(form in data for data in searched for form in forms)


def _texts(function: types.FunctionType) -> Iterator[tuple[str, str, str]]:
    """The texts that travel with a function: (what it is, its name, the text)."""
    code = function.__code__
    for name in internals._extract_code_globals(code):
        if name in function.__globals__:
            yield from _of(f"global '{name}'", name, function.__globals__[name])
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        if cell != types.CellType():
            yield from _of(f"closure '{name}'", name, cell.cell_contents)
    for name, value in defaults_of(function).items():
        yield from _of(f"default of '{name}'", name, value)
    yield from _in_code(code, function.__name__)


def _of(path: str, name: str, value: Any) -> Iterator[tuple[str, str, str]]:
    if type(value) is str:
        yield path, name, value
    elif type(value) is dict and len(value) <= _MAX_ITEMS:
        for key, item in value.items():
            if type(key) is str and type(item) is str:
                yield f"{path} → '{key}'", key, item


def _in_code(code: types.CodeType, function: str) -> Iterator[tuple[str, str, str]]:
    """Texts that stand in code: those with a shape of their own, and those that are given a telling name at once."""
    for constant in code.co_consts:
        if isinstance(constant, str) and _shape(constant):
            yield "a text in its code", f"{function}_token", constant
        elif isinstance(constant, types.CodeType):
            yield from _in_code(constant, function)
    if any(map(_NAME.search, (*code.co_varnames, *code.co_cellvars, *code.co_names))):
        before: Any = None
        for instruction in dis.get_instructions(code):
            if instruction.opname.startswith("STORE_") and type(before) is str:
                stored = instruction.argval  # of several that are stored at once the first
                name = str(stored[0] if isinstance(stored, tuple) else stored)
                yield f"variable '{name}'", name, before
            before = instruction.argval if instruction.opname == "LOAD_CONST" else None


def _entropy(text: str) -> float:
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def _key(name: str) -> str:
    return name.lower().replace("_", "-").strip("-")
