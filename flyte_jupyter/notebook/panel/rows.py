"""The rows of a form: each an editor, what is said beside it, and a button that takes back what was given."""

from __future__ import annotations

import functools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import ipywidgets as w

from ... import session
from ...annotations import describe
from ...config.form import form
from ...config.say import said
from ...config.spec import OVERRIDE, PARAMS
from ...errors import ConfigError
from ...interface import Input
from . import inputs, look
from .code import Code
from .draft import Draft
from .widgets import Editor, Entry, Leaf, Parts, Styles, chosen, editor, hint, python


@functools.cache
def entries() -> dict[str, Entry]:
    """The form of an override by name."""
    return {entry["name"]: entry for entry in form(OVERRIDE)}


Changed: TypeAlias = "Callable[[Row, Callable[[], None]], None]"
"""Told in which row the user has done something, and what has to be done for it."""


@dataclass(frozen=True)
class Said:
    """What is said of a row: what it means, what is wrong ("" when nothing is), and what stands beside it."""

    hint: str
    problem: str
    note: str


class Row(ABC):
    """One row of a form.

    Attributes:
        name: of the parameter, or of the input.
        editor: the one that stands there.
    """

    editor: Editor

    def __init__(self, name: str, draft: Draft, styles: Styles, changed: Changed) -> None:
        self.name = name
        self._draft = draft
        self._styles = styles
        self._changed = changed
        self._note = styles.made(w.HTML, cls="fp-note")
        about = "Back to what holds without."
        self._reset = styles.made(
            w.Button, description=f"Reset {name}", tooltip=about, layout=styles.fit, cls="fp-reset fp-off"
        )
        self._reset.on_click(lambda _: self.reset())
        self._stale: list[Any] = []  # widgets that others have taken the place of
        self._make()

    # --- its two kinds

    @property
    @abstractmethod
    def given(self) -> dict[str, Any]:
        """What the draft has been given of this kind."""

    @abstractmethod
    def _raw(self) -> Any:
        """What has to stand in the editor."""

    @abstractmethod
    def _editor(self) -> Editor:
        """An editor for what does not have to be Python."""

    @abstractmethod
    def _take(self) -> None:
        """Give the draft what stands in the editor."""

    @abstractmethod
    def _say(self) -> Said:
        """What is said of it now."""

    # --- what they have in common

    @property
    def is_given(self) -> bool:
        """Whether something was given, so that it can be taken back."""
        return self.name in self.given

    def widgets(self) -> list[Any]:
        """What is seen, from left to right and below.

        Always the same ones, because a front end draws anew what comes after one that is new, and who writes there
        would lose their place.
        """
        shown = [self.editor.widget, self._note, self._reset]
        return [*shown, self.editor.box] if isinstance(self.editor, Parts) else shown

    def refresh(self) -> None:
        """Say what holds now."""
        said_ = self._say()
        self.editor.mark(bool(said_.problem))
        self.editor.describe(f"not accepted: {said_.problem}" if said_.problem else said_.hint)
        widget = self.editor.widget
        (widget.add_class if self.is_given else widget.remove_class)("fp-set")
        (self._reset.remove_class if self.is_given else self._reset.add_class)("fp-off")
        self._note.value = said_.note

    def follow(self) -> None:
        """Have the editor hold what the draft does, perhaps another one."""
        raw = self._raw()
        if isinstance(raw, Code) == isinstance(self.editor.raw(), Code):
            self.editor.put(raw)
            self._unfold()
            return
        self._stale += [self.editor.widget, *([self.editor.box] if isinstance(self.editor, Parts) else [])]
        self._make()

    def reset(self) -> None:
        """Take back what was given."""
        self._changed(self, self._take_back)
        self.editor.focus()

    def _take_back(self) -> None:
        self.given.pop(self.name, None)
        self.follow()

    def swept(self) -> list[Any]:
        """The widgets that are not needed any more."""
        stale, self._stale = self._stale, []
        return stale

    def _make(self) -> None:
        raw = self._raw()
        made = python(self.name, self._styles, self._typed) if isinstance(raw, Code) else self._editor()
        made.put(raw)
        made.widget.add_class("fp-editor")
        self.editor = made
        self._unfold()

    def _unfold(self) -> None:
        """What was given in parts is to be seen."""
        if isinstance(self.editor, Parts) and self.is_given:
            self.editor.fold(True)

    def _typed(self) -> None:
        self._changed(self, self._take)


class Setting(Row):
    """A parameter of the table."""

    @property
    def given(self) -> dict[str, Any]:
        return self._draft.settings

    def _raw(self) -> Any:
        return self._draft.raw(self.name)

    def _editor(self) -> Editor:
        return editor(entries()[self.name], self._styles, self._typed)

    def _take(self) -> None:
        self.given[self.name] = self.editor.raw()

    def _say(self) -> Said:
        entry, problem = entries()[self.name], self._draft.problem(self.name)
        return Said(hint(entry), problem, look.note(*self._words(problem), self._about(entry), problem))

    def _about(self, entry: Entry) -> str:
        fixed = "Fixed while the task is reusable. " if self._draft.is_locked(self.name) else ""
        return f"{fixed}{entry['doc']}{_left_out(entry, _is_remote(self._draft))}"

    def _words(self, problem: str) -> tuple[str, str]:
        """The value in words, and its level."""
        config = self._draft.base.effective_config()
        below = said(PARAMS[self.name], config.value(self.name))
        if not self.is_given:
            return below, config.level(self.name)
        if problem:
            return f"was {below}", look.OVERRIDDEN
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = PARAMS[self.name].accept(self._draft.value(self.name))
        now = said(PARAMS[self.name], PARAMS[self.name].default if own is None else own)
        return f"{now}, was {below} ({config.level(self.name)})", look.OVERRIDDEN


def _is_remote(draft: Draft) -> bool:
    """Whether the call would run in a cluster now; what is wrong with the settings is told by the call itself."""
    try:
        found = session.current().sites.cluster_of(draft.base.spec, session.defaults, session.cluster)
    except ConfigError:
        return False
    return found is not None


def _left_out(entry: Entry, is_remote: bool) -> str:
    """What comes of a setting where the call would run, when that is not all of it."""
    runner = "kubernetes" if is_remote else "local"
    if runner in entry["honoured"]:
        return ""
    effect = entry["effects"][runner]
    return f" In the cluster, not built yet: {effect}" if is_remote else f" On this machine: {effect}"


class TaskInput(Row):
    """An input of the task."""

    @property
    def given(self) -> dict[str, Any]:
        return self._draft.inputs

    @property
    def _declared(self) -> Input:
        return self._draft.base.interface.inputs[self.name]

    @property
    def _kind(self) -> inputs.Kind:
        return inputs.kind(self._declared, self._draft.names)

    def _raw(self) -> Any:
        return self.given.get(self.name, self._declared.default is True if self._kind == "switch" else "")

    def _editor(self) -> Editor:
        declared, names = self._declared, self._draft.names
        such = inputs.example(declared, names)
        common: dict[str, Any] = {"description": self.name, "placeholder": such, "description_allow_html": True}
        match self._kind:
            case "switch":
                return Leaf(self._styles.made(w.Checkbox, description=self.name), self._typed)
            case "choice":
                nothing = f"({such})" if inputs.default(declared, names) else "(choose)"
                options = [(nothing, ""), *((one, one) for one in inputs.choices(declared, names))]
                return chosen(self.name, options, self._styles, self._typed)
        if found := inputs.offered(declared, names):
            return Leaf(self._styles.made(w.Combobox, options=tuple(found), ensure_option=False, **common), self._typed)
        return Leaf(self._styles.made(w.Text, **common), self._typed)

    def _take(self) -> None:
        raw: Any = self.editor.raw()
        if raw == "" and self._kind != "text":
            self.given.pop(self.name, None)
        else:
            self.given[self.name] = raw

    def _say(self) -> Said:
        kind, problem = describe(self._declared.annotation), self._draft.input_problem(self.name)
        default = inputs.default(self._declared, self._draft.names)
        note = look.input_note(kind, default, problem, is_given=self.is_given)
        state = f"default {default}" if default else "required"
        return Said(f"{kind}, {state}", problem if self.is_given else "", note)
