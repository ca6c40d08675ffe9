"""The override panel in a notebook: a form for one call of a task, its line of code, and a place for its card.

A panel is three outputs: what stays when it is saved (HTML), the form (ipywidgets) and the place of the card.  Style
rules show the first only while the second is not alive (`look`), so that a saved notebook never depends on a kernel.
Closing the panel takes the form out of the notebook.

Messages of widgets are handled one after the other, but on a thread of their own in some front ends: a lock keeps them
and the notebook's cells apart.
"""

from __future__ import annotations

import functools
import threading
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from ... import api
from ...annotations import describe
from ...config.form import form
from ...config.say import said
from ...config.spec import OVERRIDE, PARAMS
from ...engine.request import settings as recorded
from ...errors import ConfigError
from .. import live
from . import inputs, look
from .code import Code, Names
from .draft import Draft, draft_of, task_name
from .widgets import Editor, Entry, Leaf, Parts, Styles, editor, hint, python

VIEW = "application/vnd.jupyter.widget-view+json"

Send = Callable[[dict[str, Any], str, bool], None]
"""(MIME bundle, display id, whether it is an update): to the front end."""


@functools.cache
def entries() -> dict[str, Entry]:
    """The form of an override by name."""
    return {entry["name"]: entry for entry in form(OVERRIDE)}


class Panel:
    """One panel.

    Attributes:
        draft: the call that it is about.
        root: its widget.
        is_closed: whether its widgets are gone.
    """

    def __init__(self, draft: Draft, send: Send, insert: Callable[[str], None]) -> None:
        self.draft = draft
        self.is_closed = False
        self._send = send
        self._insert = insert
        self._ids = {part: uuid.uuid4().hex for part in ("still", "form", "card")}
        self._lock = threading.RLock()
        self._styles = styles = Styles()
        self._settings: dict[str, Editor] = {}
        self._inputs: dict[str, Editor] = {}
        self._notes: dict[str, Any] = {}
        self._resets: dict[str, Any] = {}
        self._stale: list[Any] = []  # widgets that others have taken the place of
        self._grids = {part: styles.made(w.Box, cls="fp-grid") for part in ("inputs", "settings")}
        self._line = Leaf(
            styles.made(w.Textarea, description="Line of code", rows=2, continuous_update=False), self._typed
        )
        self._line.describe("The call as code. Change it, and the form follows.")
        self._status = styles.made(w.HTML)
        self.root = self._built()
        self._refresh()

    def __repr__(self) -> str:
        return f"<Panel {self.draft.line()}{' [closed]' if self.is_closed else ''}>"

    def show(self) -> None:
        """Display it."""
        self._send(self._still(), self._ids["still"], False)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        self._send({VIEW: view, "text/plain": ""}, self._ids["form"], False)
        self._send(_EMPTY, self._ids["card"], False)

    def close(self) -> None:
        """Take the form out of the notebook; its line and its card stay."""
        with self._lock:
            if self.is_closed:
                return
            self.is_closed = True
            self._send(self._still(), self._ids["still"], True)
            self._send(_EMPTY, self._ids["form"], True)
            self._styles.close()

    # --- its widgets

    def _built(self) -> Any:
        made = self._styles.made
        for name in self.draft.base.interface.inputs:
            self._inputs[name] = self._input(name)
            self._notes[f"input {name}"] = self._note()
        for name, entry in entries().items():
            self._settings[name] = self._setting(name, entry)
            self._notes[name] = self._note()
        buttons = [
            self._button("Run", self._run, "Run it now; its card appears below.", button_style="primary"),
            self._button("Insert as cell", self._inserted, "A new cell with the code that runs it."),
            self._button("Compare with last run", self._compared, "What differs from the last run of this task."),
            self._button("Close", self.close, "Take the form away; its line stays."),
        ]
        called = task_name(self.draft.base, Names(self.draft.variables))
        head = made(w.HTML, value=look.style() + look.title(self.draft.base.name, called))
        children = [head]
        if self._inputs:
            children += [made(w.HTML, value=look.heading("Inputs")), self._grids["inputs"]]
        children += [self._line.widget, made(w.HBox, children=buttons), self._status]
        children += [made(w.HTML, value=look.heading("Settings")), self._grids["settings"]]
        return made(w.VBox, children=children, cls=look.LIVE)

    def _note(self) -> Any:
        return self._styles.made(w.HTML, cls="fp-note")

    def _button(self, text: str, action: Callable[[], None], tooltip: str, **traits: Any) -> Any:
        made = self._styles.made(w.Button, description=text, tooltip=tooltip, layout=self._styles.fit, **traits)
        made.on_click(lambda _: self._guarded(action))
        return made

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do what a button is for; what goes wrong is said in the panel."""
        with self._lock:
            try:
                action()
            except ConfigError as e:
                self._say(str(e), is_bad=True)
            except Exception as e:  # there is no cell whose error this could be
                self._say(f"{type(e).__name__}: {e}", is_bad=True)

    def _setting(self, name: str, entry: Entry) -> Editor:
        raw = self.draft.raw(name)
        changed = functools.partial(self._changed, name)
        made = python(name, self._styles, changed) if isinstance(raw, Code) else editor(entry, self._styles, changed)
        made.put(raw)
        made.describe(hint(entry))
        made.widget.add_class("fp-editor")
        if isinstance(made, Parts) and name in self.draft.settings:
            made.fold(True)
        return made

    def _input(self, name: str) -> Editor:
        declared = self.draft.base.interface.inputs[name]
        kind, raw = inputs.kind(declared), self.draft.inputs.get(name)
        changed = functools.partial(self._input_changed, name)
        default = inputs.default(declared, Names(self.draft.variables))
        if isinstance(raw, Code):
            made = python(name, self._styles, changed)
        elif kind == "switch":
            made = Leaf(self._styles.made(w.Checkbox, description=name, value=declared.default is True), changed)
        elif kind == "choice":
            options = [(f"(default: {default})" if default else "(choose)", ""), *inputs.choices(declared).items()]
            made = Leaf(self._styles.made(w.Dropdown, description=name, options=options), changed)
        else:
            such = f"default: {default}" if default else "a text" if kind == "text" else "a value, or a name"
            made = Leaf(self._styles.made(w.Text, description=name, placeholder=such), changed)
        if raw is not None:
            made.put(raw)
        made.describe(f"Input {name}: {describe(declared.annotation)}")
        made.widget.add_class("fp-editor")
        return made

    # --- what the user does

    def _changed(self, name: str) -> None:
        with self._lock:
            self.draft.settings[name] = self._settings[name].raw()
            self._refresh(name)

    def _input_changed(self, name: str) -> None:
        with self._lock:
            raw = self._inputs[name].raw()
            is_text = inputs.kind(self.draft.base.interface.inputs[name]) == "text"
            if raw == "" and not is_text:
                self.draft.inputs.pop(name, None)
            else:
                self.draft.inputs[name] = raw  # type: ignore[assignment]  # editors of inputs hold no more than these
            self._refresh(f"input {name}")

    def _reset(self, name: str) -> None:
        if name.startswith("input "):
            self.draft.inputs.pop(name[6:], None)
        else:
            self.draft.settings.pop(name, None)
        self._remade(name)
        self._refresh(name)

    def _remade(self, name: str) -> None:
        """The editor of something that has another value now, perhaps of another kind."""
        before = self._inputs[name[6:]] if name.startswith("input ") else self._settings[name]
        self._stale += [before.widget, *([before.box] if isinstance(before, Parts) else [])]
        self._stale += [self._resets[name]] if name in self._resets else []
        if name.startswith("input "):
            self._inputs[name[6:]] = self._input(name[6:])
        else:
            self._settings[name] = self._setting(name, entries()[name])
        self._resets.pop(name, None)

    def _typed(self) -> None:
        """The line was changed: the form follows."""
        with self._lock:
            try:
                found = draft_of(str(self._line.raw()), self.draft.variables)
                if found.base.func is not self.draft.base.func:
                    self._say(f"{found.base.name} is another task: open a panel of its own.", is_bad=True)
                    return
            except Exception as e:  # whatever a value says to what was typed
                self._line.mark(True)
                self._say(str(e), is_bad=True)
                return
            self._line.mark(False)
            self.draft = found
            for name in [*(f"input {name}" for name in self._inputs), *self._settings]:
                self._remade(name)
            self._refresh()
            self._say("The form follows the line.")

    def _run(self) -> None:
        task, values = self.draft.task(), self.draft.call_inputs()
        with live.placed(self._ids["card"]):
            run = api.submit(task, **values)
        self._say(f"{run.name} runs; its card is below.")

    def _inserted(self) -> None:
        cell = self.draft.cell()
        self._insert(cell)
        self._say(f"Comes as a cell of its own below the next cell that you run:\n{cell}")

    def _compared(self) -> None:
        for run in api.runs(50):
            if run.task_name == self.draft.base.name:
                rows = look.difference(run.view()["config"] or (), recorded(self.draft.task()))
                self._status.value = look.comparison(run.name, rows)
                return
        self._say("This task has not run yet.")

    # --- what is seen

    def _say(self, text: str, *, is_bad: bool = False) -> None:
        self._status.value = look.told(text, is_bad=is_bad)

    def _refresh(self, only: str = "") -> None:
        """Have what is seen follow the draft: of one parameter, or of all."""
        for name in [only] if only else self._notes:
            self._refresh_row(name)
        self._line.put(self.draft.line())
        for part, found in (("inputs", self._inputs), ("settings", self._settings)):
            prefix = "input " if part == "inputs" else ""
            shown = tuple(widget for name in found for widget in self._row(f"{prefix}{name}", found[name]))
            if shown != self._grids[part].children:
                self._grids[part].children = shown
        if self._stale:
            self._styles.close(*self._stale)
            self._stale.clear()
        if only:
            self._send(self._still(), self._ids["still"], True)

    def _row(self, name: str, made: Editor) -> list[Any]:
        row = [made.widget, self._notes[name]]
        if self._is_given(name):
            if name not in self._resets:
                what = name.rpartition(" ")[2]
                action = functools.partial(self._reset, name)
                self._resets[name] = self._button(
                    f"Reset {what}", action, "Back to what holds without.", cls="fp-reset"
                )
            row.append(self._resets[name])
        return [*row, made.box] if isinstance(made, Parts) else row

    def _is_given(self, name: str) -> bool:
        return name[6:] in self.draft.inputs if name.startswith("input ") else name in self.draft.settings

    def _refresh_row(self, name: str) -> None:
        if name.startswith("input "):
            own = name[6:]
            declared, problem = self.draft.base.interface.inputs[own], self.draft.input_problem(own)
            default = inputs.default(declared, Names(self.draft.variables))
            is_given = own in self.draft.inputs
            made, text = self._inputs[own], f"Input {own}: {describe(declared.annotation)}"
            shown = look.input_note(describe(declared.annotation), default, problem, is_given=is_given)
            problem = problem if is_given else ""
        else:
            made, text, problem = self._settings[name], hint(entries()[name]), self.draft.problem(name)
            is_given = name in self.draft.settings
            shown = look.note(*self._words(name, problem), _about(entries()[name]), problem)
        made.mark(bool(problem))
        made.describe(f"Not accepted: {problem}" if problem else text)
        (made.widget.add_class if is_given else made.widget.remove_class)("fp-set")
        self._notes[name].value = shown

    def _words(self, name: str, problem: str) -> tuple[str, str]:
        """The value of a parameter in words, and its level."""
        config = self.draft.base.effective_config()
        below = said(PARAMS[name], config.value(name))
        if name not in self.draft.settings:
            return below, config.level(name)
        if problem:
            return f"was {below}", look.OVERRIDDEN
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = PARAMS[name].accept(self.draft.value(name))
        now = said(PARAMS[name], PARAMS[name].default if own is None else own)
        return f"{now}, was {below} ({config.level(name)})", look.OVERRIDDEN

    def _still(self) -> dict[str, Any]:
        return look.saved(self.draft)


_EMPTY: dict[str, Any] = {"text/html": "", "text/plain": ""}
"""An output that is there for later."""


def _about(entry: Entry) -> str:
    here = "" if "local" in entry["honoured"] else f" On this machine: {entry['effects']['local']}"
    return f"{entry['doc']}{here}"
