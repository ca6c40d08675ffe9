"""What a form has to know of a value: of a parameter of the table, and of each field of the value types.

It is written beside the field, once.  The panel, magic options, completions, `docs/parameters.md` and the pictures of
values in notebooks are made from it.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Editor: TypeAlias = Literal[
    "text", "number", "quantity", "choice", "switch", "pairs", "list", "duration", "moment", "yaml", "fields", "code"
]
"""How a value is edited: `quantity` is cores or bytes as Kubernetes writes them, `pairs` are rows of name and text,
`fields` are those of a value type, `code` is Python and nothing else."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Field:
    """One value that can be set.

    Attributes:
        editor: how it is edited.
        name: its name; set from where it stands.
        doc: what it means; of a value type's field what the docstring of the class says.
        unit: what a number counts, such as "cores" or "seconds"; of a duration "" where only a timedelta is accepted.
        choices: words to choose from, or a function that finds them.
        is_open: something else than these is accepted too.
        least: the lowest number, in `unit`; None is no bound. A word may stand outside of it.
        is_whole: whole numbers alone.
        is_pair: two of them are accepted too, as a tuple, the first not above the second.
        examples: values as they are given in Python.
        of: the value types that are accepted, as "module.Class" of `values/`.
        shorthand: the field of that type whose text alone stands for the value.
        codec: which codec of `codec.py` makes text of it, where the editor does not say.
    """

    editor: Editor
    name: str = ""
    doc: str = ""
    unit: str = ""
    choices: Sequence[str] | Callable[[], Sequence[str]] = ()
    is_open: bool = False
    least: float | None = None
    is_whole: bool = True
    is_pair: bool = False
    examples: tuple[Any, ...] = ()
    of: tuple[str, ...] = ()
    shorthand: str = ""
    codec: str = ""

    def words(self) -> tuple[str, ...]:
        """The choices."""
        return tuple(self.choices() if callable(self.choices) else self.choices)

    def sentence(self) -> str:
        """`doc` with a capital."""
        return self.doc[:1].upper() + self.doc[1:]

    def canonical(self, value: Any) -> Any:
        """What becomes of a value that was given."""
        return value

    def types(self) -> tuple[type, ...]:
        """The value types that are accepted, loaded."""
        named = (path.split(".") for path in self.of)
        return tuple(getattr(importlib.import_module(f".values.{module}", __package__), name) for module, name in named)


_found: weakref.WeakKeyDictionary[type, tuple[Field, ...]] = weakref.WeakKeyDictionary()


def edited(editor: Editor, **more: Any) -> dict[str, Any]:
    """The metadata of a field of a value type: `field(metadata=edited("number", least=1))`."""
    return {"field": Field(editor=editor, **more)}


def fields_of(cls: type[Any]) -> tuple[Field, ...]:
    """The fields of a value type, in order, with what its docstring says of them."""
    if cls not in _found:
        docs = attributes(cls)
        _found[cls] = tuple(
            dataclasses.replace(f.metadata["field"], name=f.name, doc=docs.get(f.name) or f.metadata["field"].doc)
            for f in dataclasses.fields(cls)
            if "field" in f.metadata
        )
    return _found[cls]


def attributes(cls: type) -> dict[str, str]:
    """What the section `Attributes:` of a docstring says, by name."""
    section = re.search(r"^Attributes:\n((?:    .*\n?|\n)*)", inspect.getdoc(cls) or "", re.MULTILINE)
    entries = re.findall(r"^    (\w+): ((?:.*\n?)(?:     .*\n?)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
