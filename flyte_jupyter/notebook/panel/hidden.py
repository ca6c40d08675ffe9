"""What looks like a credential, in what a form holds: it is in no editor, no line and no saved notebook.  Pure.

A line has a name in its place, where the notebook has one for it, else `...`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ...config import specification
from ...config.credential import is_credential, masked, masked_spec
from ...config.values.value import pasted
from ...environment import TaskEnvironment
from ...errors import ConfigError
from ...task import Task
from . import code
from .code import OPEN, Names


def is_in(value: Any) -> bool:
    """Whether something of a value is hidden."""
    return pasted(masked(value)) != pasted(value)


def is_in_code(source: str) -> bool:
    """Whether code has one in a literal."""
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return is_credential("", source)
    return any(map(_is_in_node, ast.walk(tree)))


def _is_in_node(node: ast.AST) -> bool:
    if isinstance(node, ast.Dict):
        pairs = [(_text(key), _text(value)) for key, value in zip(node.keys, node.values, strict=True)]
        named = dict(pairs)
        return any(is_credential(*pair) for pair in [*pairs, (named.get("name", ""), named.get("value", ""))])
    return is_credential("", _text(node))


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_in_yaml(source: str) -> bool:
    """Whether a pod's specification has one."""
    try:
        spec = specification.loaded(source, "") if source else None
    except ConfigError:  # it is being written
        return is_credential("", source)
    return bool(masked_spec(spec) != spec)


def expression(name: str, value: Any, names: Names) -> str:
    """The code of a setting that has one: what of the notebook has the same, else the rest with `...` in its place."""
    if owner := names.of(lambda found: _has(found, name, value)):
        return f"{owner}.{name}"
    if not isinstance(value, Mapping):
        return OPEN
    pairs = (f"{code.text(key)}: {_entry(name, key, item, names)}" for key, item in value.items())
    return f"{{{', '.join(pairs)}}}"


def _entry(setting: str, key: str, item: str, names: Names) -> str:
    if not is_credential(key, item):
        return code.text(item)
    if variable := names.of(lambda found: isinstance(found, str) and found == item):
        return variable
    owner = names.of(lambda found: _is_configured(found) and (getattr(found, setting) or {}).get(key) == item)
    return f"{owner}.{setting}[{code.text(key)}]" if owner else OPEN


def _is_configured(found: Any) -> bool:
    return isinstance(found, (Task, TaskEnvironment))


def _has(found: Any, name: str, value: Any) -> bool:
    return _is_configured(found) and pasted(getattr(found, name, None)) == pasted(value)
