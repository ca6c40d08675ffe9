"""The editors of a form as ipywidgets, each with `raw` to be read and `put` to be changed.

Every editor has its name as a label that belongs to it, and what it means as its description, so that a form can be
used with a keyboard and a screen reader alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import ipywidgets as w

from ...config.credential import is_credential
from .code import Code
from .editors import Raw

Changed = Callable[[], None]
"""Called when the user has changed something."""

Entry = Mapping[str, Any]
"""A parameter, or a field of a value, as `config/form.py` describes it."""


class Editor(Protocol):
    """One editor, or several below each other.

    Attributes:
        widget: what is seen.
    """

    widget: w.Widget

    def raw(self) -> Raw:
        """What stands in it."""
        ...

    def put(self, raw: Raw) -> None:
        """Have something else stand in it, as if it had always done so."""
        ...

    def describe(self, text: str) -> None:
        """What is said of it: by a screen reader, and when it is pointed at."""
        ...

    def mark(self, is_wrong: bool) -> None:
        """Show whether what stands in it is accepted."""
        ...


class Styles:
    """What the widgets of a panel share, since each object costs a message to the front end."""

    def __init__(self) -> None:
        self.wide = w.Layout(width="auto", min_width="0")
        self.fit = w.Layout(width="auto", min_width="0", justify_self="start")
        self._styles: dict[type, Any] = {}
        self._made: list[Any] = [self.wide, self.fit]

    def made(self, kind: type, *, cls: str = "", **traits: Any) -> Any:
        """A widget of a class, with the style that others of its kind have."""
        traits.setdefault("layout", self.wide)
        if cls:
            traits["_dom_classes"] = (cls,)
        if kind in self._styles:
            made = kind(**self._styles[kind], **traits)
            self._made.append(made)
            return made
        made = kind(**traits)
        self._made.append(made)
        self._styles[kind] = {"style": made.style} if made.has_trait("style") else {}
        self._made += self._styles[kind].values()
        if made.has_trait("style") and hasattr(made.style, "description_width"):
            made.style.description_width = "11em"
        return made

    def close(self, *roots: Any) -> None:
        """Close widgets with what is in them; without any, all that were made here."""
        gone = {id(widget) for root in roots for widget in within(root)}
        for widget in self._made:
            if not roots or id(widget) in gone:
                widget.close()
        self._made = [widget for widget in self._made if roots and id(widget) not in gone]


def within(widget: Any) -> list[Any]:
    """A widget and what is in it."""
    return [widget, *(found for child in getattr(widget, "children", ()) for found in within(child))]


class Leaf:
    """One widget with one value."""

    def __init__(self, widget: Any, changed: Changed, wrap: Callable[[Any], Raw] = lambda value: value) -> None:
        self.widget = widget
        self._changed = changed
        self._wrap = wrap
        self._is_quiet = False
        widget.observe(self._observed, names="value")

    def raw(self) -> Raw:
        return self._wrap(self.widget.value)

    def put(self, raw: Raw) -> None:
        value: Any = raw.text if isinstance(raw, Code) else raw
        self._is_quiet = True
        try:
            if isinstance(self.widget, w.Dropdown) and value not in {code for _, code in self.widget.options}:
                self.widget.options = [*self.widget.options, (str(value), value)]
            self.widget.value = value
        finally:
            self._is_quiet = False

    def describe(self, text: str) -> None:
        self.widget.tooltip = text

    def mark(self, is_wrong: bool) -> None:
        (self.widget.add_class if is_wrong else self.widget.remove_class)("fp-wrong")

    def _observed(self, _: Any) -> None:
        if not self._is_quiet:
            self._changed()


class Row:
    """A name and a text.  A text that looks like a credential is kept here, and not told to the front end."""

    def __init__(self, what: str, styles: Styles, changed: Changed, removed: Callable[[Row], None]) -> None:
        self._hidden = ""
        self._name, self._text = (
            Leaf(styles.made(w.Text, placeholder=word, description=f"{what}: {word}"), changed)
            for word in ("name", "value")
        )
        remove = styles.made(w.Button, description="Remove", tooltip=f"Remove this row of {what}")
        remove.on_click(lambda _: removed(self))
        self.widget = styles.made(w.HBox, children=(self._name.widget, self._text.widget, remove), cls="fp-pair")

    def raw(self) -> list[str]:
        """The two; one that is hidden stays until another is typed."""
        return [str(self._name.raw()), str(self._text.raw()) or self._hidden]

    def put(self, name: str, text: str) -> None:
        """Have them stand there."""
        self._hidden = text if is_credential(name, text) else ""
        self._name.put(name)
        self._text.put("" if self._hidden else text)
        self._text.widget.placeholder = "(hidden)" if self._hidden else "value"


class Pairs:
    """Rows of a name and a text, with a button that adds one."""

    def __init__(self, entry: Entry, styles: Styles, changed: Changed) -> None:
        self._name = entry["name"]
        self._styles = styles
        self._changed = changed
        self._rows: list[Row] = []
        self._add = styles.made(w.Button, description=f"Add to {self._name}", layout=styles.fit)
        self._add.on_click(lambda _: self._become([*self._rows, self._row()]))
        self._box = styles.made(w.VBox, children=(self._add,))
        title = styles.made(w.Label, value=self._name, cls="fp-label")
        self.widget = styles.made(w.HBox, children=(title, self._box))

    def raw(self) -> Raw:
        return [row.raw() for row in self._rows]

    def put(self, raw: Raw) -> None:
        given = cast("list[list[str]]", raw)
        rows = [*self._rows, *(self._row() for _ in given[len(self._rows) :])][: len(given)]
        for row, (name, text) in zip(rows, given, strict=True):
            row.put(name, text)
        self._show(rows)

    def describe(self, text: str) -> None:
        self._add.tooltip = text

    def mark(self, is_wrong: bool) -> None:
        (self.widget.add_class if is_wrong else self.widget.remove_class)("fp-wrong")

    def _row(self) -> Row:
        return Row(self._name, self._styles, self._changed, self._removed)

    def _removed(self, row: Row) -> None:
        self._become([other for other in self._rows if other is not row])

    def _become(self, rows: list[Row]) -> None:
        """The user has added a row or taken one away."""
        self._show(rows)
        self._changed()

    def _show(self, rows: list[Row]) -> None:
        gone = [row.widget for row in self._rows if row not in rows]
        self._rows = rows
        self._box.children = [*(row.widget for row in rows), self._add]
        if gone:
            self._styles.close(*gone)


class Parts:
    """The fields of a value, below a button that unfolds them; they are made when they are first seen."""

    def __init__(self, name: str, fields: Sequence[Entry], styles: Styles, changed: Changed) -> None:
        self._name = name
        self._fields = fields
        self._styles = styles
        self._changed = changed
        self._editors: dict[str, Editor] = {}
        self._raw: Raw = {}
        self.widget = styles.made(w.Button, description=f"▸ {name}", cls="fp-fold")
        self.widget.on_click(lambda _: self.fold())
        self.box = styles.made(w.VBox, cls="fp-parts")

    def raw(self) -> Raw:
        if not self._editors:
            return self._raw
        return {name: editor.raw() for name, editor in self._editors.items()}

    def put(self, raw: Raw) -> None:
        self._raw = raw
        if isinstance(raw, dict):
            for name, editor in self._editors.items():
                editor.put(raw.get(name, ""))

    def describe(self, text: str) -> None:
        self.widget.tooltip = text

    def mark(self, is_wrong: bool) -> None:
        (self.widget.add_class if is_wrong else self.widget.remove_class)("fp-wrong")

    def fold(self, is_open: bool | None = None) -> None:
        """Show the fields or hide them; without a word, the other of the two."""
        is_open = not self.box.children if is_open is None else is_open
        if is_open and not self._editors:
            self._make()
        shown = [editor.widget for editor in self._editors.values()]
        below = [editor.box for editor in self._editors.values() if isinstance(editor, Parts)]
        self.box.children = (*shown, *below) if is_open else ()
        self.widget.description = f"{'▾' if is_open else '▸'} {self._name}"

    def _make(self) -> None:
        for entry in self._fields:
            made = editor(entry, self._styles, self._changed)
            made.describe(hint(entry))
            self._editors[entry["name"]] = made
            if isinstance(made, Parts):
                made.fold(True)
        self.put(self._raw)


def editor(entry: Entry, styles: Styles, changed: Changed) -> Editor:
    """The right editor of a parameter or a field; see `editors.parts` for those with several."""
    name, kind = entry["name"], entry["editor"]
    if fields := parts_of(entry):
        return Parts(name, fields, styles, changed)
    if kind == "pairs":
        return Pairs(entry, styles, changed)
    if kind == "switch":
        made = styles.made(w.Checkbox, description=name, indent=True)
        return Leaf(made, changed)
    common = {"description": name, "placeholder": placeholder(entry)}
    if kind == "choice" and not entry["open"]:
        options = [(NOT_GIVEN, "")] if not entry.get("required") else []
        options += [(word, word) for word in entry["choices"]]
        return Leaf(styles.made(w.Dropdown, description=name, options=options), changed)
    if kind == "yaml":
        return Leaf(styles.made(w.Textarea, rows=6, **common), changed)
    if entry["choices"]:
        found = styles.made(w.Combobox, options=tuple(entry["choices"]), ensure_option=False, **common)
        return Leaf(found, changed)
    return Leaf(styles.made(w.Text, **common), changed)


NOT_GIVEN = "(default)"


def python(name: str, styles: Styles, changed: Changed) -> Editor:
    """An editor for a value that only Python can say."""
    made = styles.made(w.Text, description=name, placeholder="a value, or a name of the notebook")
    return Leaf(made, changed, Code)


def parts_of(entry: Entry) -> list[Entry]:
    """The entries that are edited one below the other, as in `editors.parts`."""
    if not entry["types"] or entry["editor"] not in ("fields", "text"):
        return []
    fields: list[Entry] = list(entry["types"][0]["fields"])
    plain = {"unit": "", "choices": [], "open": False, "examples": [], "types": [], "required": False, "least": None}
    if entry["editor"] == "text":
        doc = "One that the platform knows by its name."
        return [{**plain, "name": "name", "editor": "text", "doc": doc}, *fields]
    if "off" in entry["choices"]:
        doc = 'Take away what a wider level gave: "off".'
        return [{**plain, "name": "off", "editor": "switch", "doc": doc}, *fields]
    return fields


def placeholder(entry: Entry) -> str:
    """What stands in an empty editor: examples, and the unit."""
    shown = " or ".join(entry["examples"][:2])
    return ", ".join(part for part in (entry["unit"], f"such as {shown}" if shown else "") if part)


def hint(entry: Entry) -> str:
    """What a parameter or field means, with its unit and examples."""
    said = entry["doc"][:1].upper() + entry["doc"][1:]
    such = placeholder(entry)
    return f"{said} ({such})" if such else said
