"""The editors of a form as ipywidgets, each with `raw` to be read and `put` to be changed.

Every editor has a label that belongs to it: its name, and for who hears it also what it means or what is wrong.  What
looks like a credential is kept here and not told to the front end, which may save what its widgets hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import ipywidgets as w

from ...config.credential import is_credential
from ...markup import el, join
from . import hidden
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
        """What a screen reader says of it."""
        ...

    def mark(self, is_wrong: bool) -> None:
        """Show whether what stands in it is accepted."""
        ...

    def focus(self) -> None:
        """Have the keyboard go on here."""
        ...

    def hide(self) -> None:
        """Take what looks like a credential out of the front end."""
        ...


class Styles:
    """What the widgets of a panel share, since each object costs a message to the front end."""

    def __init__(self) -> None:
        self.wide = w.Layout(width="auto", min_width="0")
        self.fit = w.Layout(width="auto", min_width="0")
        self._styles: dict[type, Any] = {}
        self._made: list[Any] = [self.wide, self.fit]

    def made(self, kind: type, *, cls: str = "", **traits: Any) -> Any:
        """A widget of a class, with the style that others of its kind have."""
        traits.setdefault("layout", self.wide)
        if cls:
            traits["_dom_classes"] = tuple(cls.split())
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


HIDDEN = "(hidden; type to replace it)"


class Leaf:
    """One widget with one value, and its name as its label."""

    def __init__(
        self,
        widget: Any,
        changed: Changed,
        wrap: Callable[[Any], Raw] = lambda value: value,
        *,
        hides: Callable[[str], bool] = lambda text: is_credential("", text),
    ) -> None:
        self.widget = widget
        self._name = widget.description
        self._changed = changed
        self._wrap = wrap
        self._hides = hides
        self._hidden = ""
        self._placeholder = getattr(widget, "placeholder", "")
        self._is_quiet = False
        widget.observe(self._observed, names="value")

    def raw(self) -> Raw:
        return self._wrap(self._hidden or self.widget.value)

    def put(self, raw: Raw) -> None:
        value: Any = raw.text if isinstance(raw, Code) else raw
        self._hidden = value if isinstance(self.widget, (w.Text, w.Textarea)) and self._hides(value) else ""
        self._is_quiet = True
        try:
            if isinstance(self.widget, w.Dropdown) and value not in {code for _, code in self.widget.options}:
                self.widget.options = [*self.widget.options, (str(value), value)]
            self.widget.value = "" if self._hidden else value
            if isinstance(self.widget, (w.Text, w.Textarea)):
                self.widget.placeholder = HIDDEN if self._hidden else self._placeholder
        finally:
            self._is_quiet = False

    def describe(self, text: str) -> None:
        if not isinstance(self.widget, w.Checkbox):  # whose label is its title too, as it is written
            self.widget.description = join(el("span", self._name), el("span", f": {text}", cls="fp-heard"))

    def mark(self, is_wrong: bool) -> None:
        (self.widget.add_class if is_wrong else self.widget.remove_class)("fp-wrong")

    def focus(self) -> None:
        self.widget.focus()

    def hide(self) -> None:
        if not self._hidden:
            self.put(self.widget.value)

    def _observed(self, _: Any) -> None:
        if not self._is_quiet:
            self._hidden = ""
            self._changed()


class Pair:
    """A name and a text."""

    def __init__(self, what: str, styles: Styles, changed: Changed, removed: Callable[[Pair], None]) -> None:
        name, text = (
            styles.made(w.Text, placeholder=word, description=f"{what}: {word}", continuous_update=word == "name")
            for word in ("name", "value")
        )
        self._changed = changed
        self._name = Leaf(name, self._typed)
        self._text = Leaf(text, self._typed, hides=lambda text: is_credential(str(self._name.raw()), text))
        remove = styles.made(w.Button, description="Remove", tooltip=f"Remove this row of {what}")
        remove.on_click(lambda _: removed(self))
        self.widget = styles.made(w.HBox, children=(name, text, remove), cls="fp-pair")

    def raw(self) -> list[str]:
        """The two."""
        return [str(self._name.raw()), str(self._text.raw())]

    def put(self, name: str, text: str) -> None:
        """Have them stand there."""
        self._name.put(name)
        self._text.put(text)

    def focus(self) -> None:
        """The name first."""
        self._name.focus()

    def _typed(self) -> None:
        self._text.hide()
        self._changed()


class Pairs:
    """Rows of a name and a text, with a button that adds one."""

    def __init__(self, entry: Entry, styles: Styles, changed: Changed) -> None:
        self._name = entry["name"]
        self._styles = styles
        self._changed = changed
        self._rows: list[Pair] = []
        self._add = styles.made(w.Button, description=f"Add to {self._name}", layout=styles.fit)
        self._add.on_click(lambda _: self._added())
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

    def focus(self) -> None:
        self._add.focus()

    def hide(self) -> None:
        """Each pair has done so."""

    def _row(self) -> Pair:
        return Pair(self._name, self._styles, self._changed, self._removed)

    def _added(self) -> None:
        self._become([*self._rows, self._row()])
        self._rows[-1].focus()

    def _removed(self, row: Pair) -> None:
        self._become([other for other in self._rows if other is not row])
        self.focus()

    def _become(self, rows: list[Pair]) -> None:
        """The user has added a row or taken one away."""
        self._show(rows)
        self._changed()

    def _show(self, rows: list[Pair]) -> None:
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
        self._about = ""
        self._editors: dict[str, Editor] = {}
        self._notes: dict[str, w.Widget] = {}
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
        self._about = text
        self.widget.tooltip = f"{'Hide' if self.box.children else 'Show'} its parts. {text}"

    def mark(self, is_wrong: bool) -> None:
        (self.widget.add_class if is_wrong else self.widget.remove_class)("fp-wrong")

    def focus(self) -> None:
        self.widget.focus()

    def hide(self) -> None:
        for editor in self._editors.values():
            editor.hide()

    def fold(self, is_open: bool | None = None) -> None:
        """Show the fields or hide them; without a word, the other of the two."""
        is_open = not self.box.children if is_open is None else is_open
        if is_open and not self._editors:
            self._make()
        shown = [widget for name, made in self._editors.items() for widget in self._seen(name, made)]
        self.box.children = shown if is_open else ()
        self.widget.description = f"{'▾' if is_open else '▸'} {self._name}"
        self.describe(self._about)

    def _seen(self, name: str, made: Editor) -> list[w.Widget]:
        return [made.widget, self._notes[name], *([made.box] if isinstance(made, Parts) else [])]

    def _make(self) -> None:
        for entry in self._fields:
            made = editor(entry, self._styles, self._changed)
            made.describe(hint(entry))
            made.widget.add_class("fp-editor")
            self._editors[entry["name"]] = made
            about = el("span", said(entry), cls="fp-about")
            self._notes[entry["name"]] = self._styles.made(w.HTML, value=about, cls="fp-note")
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
    common = {"description": name, "placeholder": placeholder(entry), "description_allow_html": True}
    if kind == "choice" and not entry["open"]:
        options = [(NOT_GIVEN, "")] if not entry.get("required") else []
        return chosen(name, [*options, *((word, word) for word in entry["choices"])], styles, changed)
    if kind == "yaml":
        return Leaf(styles.made(w.Textarea, rows=6, **common), changed, hides=hidden.is_in_yaml)
    if entry["choices"]:
        found = styles.made(w.Combobox, options=tuple(entry["choices"]), ensure_option=False, **common)
        return Leaf(found, changed)
    if kind == "code":
        return Leaf(styles.made(w.Text, **common), changed, hides=hidden.is_in_code)
    return Leaf(styles.made(w.Text, **common), changed)


def chosen(name: str, options: Sequence[tuple[str, str]], styles: Styles, changed: Changed) -> Leaf:
    """One of some words."""
    made = styles.made(w.Dropdown, description=name, options=tuple(options), description_allow_html=True)
    return Leaf(made, changed)


NOT_GIVEN = "(default)"


def python(name: str, styles: Styles, changed: Changed) -> Editor:
    """An editor for a value that only Python can say."""
    such = "a value, or a name of the notebook"
    made = styles.made(w.Text, description=name, placeholder=such, description_allow_html=True)
    return Leaf(made, changed, Code, hides=hidden.is_in_code)


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


def said(entry: Entry) -> str:
    """What a parameter or field means."""
    return str(entry["doc"][:1].upper() + entry["doc"][1:])


def hint(entry: Entry) -> str:
    """The same, with its unit and examples."""
    such = placeholder(entry)
    return f"{said(entry)} ({such})" if such else said(entry)
