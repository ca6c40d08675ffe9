"""The override panel in a notebook: a form for one call of a task, its line of code, and a place for its card.

A panel is three outputs: what stays when it is saved (HTML), the form (ipywidgets) and the place of the card.  Style
rules show the first only while the second is not alive (`look`), so that a saved notebook never depends on a kernel.
Closing the panel takes the form out of the notebook.

Messages of widgets are handled one after the other, but on a thread of their own in some front ends: a lock keeps them
and the notebook's cells apart.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as w

from ... import api
from ...engine.request import settings as recorded
from ...errors import ConfigError
from .. import live
from . import look
from .draft import Draft, draft_of, task_name
from .rows import Row, Setting, TaskInput, entries
from .widgets import Leaf, Styles

VIEW = "application/vnd.jupyter.widget-view+json"

Send = Callable[[dict[str, Any], str, bool], None]
"""(MIME bundle, display id, whether it is an update): to the front end."""


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
        self._still: dict[str, str] = {}  # what is saved of it
        self._styles = styles = Styles()
        self._settings = [Setting(name, draft, styles, self._changed) for name in entries()]
        self._inputs = self._input_rows()
        self._grids = {part: styles.made(w.Box, cls="fp-grid") for part in ("inputs", "settings")}
        line = styles.made(w.Textarea, description="Line of code", rows=2, continuous_update=False)
        line.description_allow_html = True
        self._line = Leaf(line, self._typed)
        self._line.describe("the call. Change it, and the form follows")
        self._conflict = styles.made(w.HTML)
        self._status = styles.made(w.HTML)
        self._head = styles.made(w.HTML)
        self.root = self._built()
        self._refresh()

    def __repr__(self) -> str:
        return f"<Panel {self.draft.line()}{' [closed]' if self.is_closed else ''}>"

    def show(self) -> None:
        """Display it."""
        self._still = look.saved(self.draft)
        self._send(self._still, self._ids["still"], False)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        self._send({VIEW: view, "text/plain": ""}, self._ids["form"], False)
        self._send(_EMPTY, self._ids["card"], False)

    def close(self) -> None:
        """Take the form out of the notebook; its line and its card stay."""
        with self._lock:
            if self.is_closed:
                return
            self.is_closed = True
            self._send(_EMPTY, self._ids["form"], True)
            self._styles.close()

    def follow(self) -> None:
        """Take up what has changed in the notebook: the task, when its cell was run again, and what names mean."""
        with self._lock:
            if self.is_closed:
                return
            if not self.draft.follow():
                self._refresh([row for row in self._rows() if row.is_given])
                return
            gone = [widget for row in self._inputs for widget in row.widgets()]
            self._inputs = self._input_rows()
            for row in self._settings:
                row.follow()
            self._refresh()
            self._styles.close(*gone)
            self._say("Its cell was run again: this is the form of the new task.")

    # --- its widgets

    def _input_rows(self) -> list[TaskInput]:
        return [TaskInput(name, self.draft, self._styles, self._changed) for name in self.draft.base.interface.inputs]

    def _rows(self) -> list[Row]:
        return [*self._inputs, *self._settings]

    def _built(self) -> Any:
        made = self._styles.made
        buttons = [
            self._button("Run", self._run, "Run it now; its card appears below.", button_style="primary"),
            self._button("Insert as cell", self._inserted, "A new cell with the code that runs it."),
            self._button("Compare with last run", self._compared, "What differs from the last run of this task."),
            self._button("Close", self.close, "Take the form away; its line stays."),
        ]
        children = [self._head, self._grids["inputs"], self._line.widget, self._conflict]
        children += [made(w.HBox, children=buttons), self._status]
        children += [made(w.HTML, value=look.heading("Settings")), self._grids["settings"]]
        return made(w.VBox, children=children, cls=look.LIVE)

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

    # --- what the user does

    def _changed(self, row: Row, done: Callable[[], None]) -> None:
        with self._lock:
            done()
            for other in self._rows():
                if other is not row:
                    other.editor.hide()
            self._refresh(None if row.name == "reusable" else [row])  # on which others depend

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
            self.draft.become(found)
            for row in self._rows():
                row.follow()
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

    def _refresh(self, only: Iterable[Row] | None = None) -> None:
        """Have what is seen follow the draft: some rows, or all."""
        for row in self._rows() if only is None else only:
            row.refresh()
        called = task_name(self.draft.base, self.draft.names)
        inputs = look.heading("Inputs") if self._inputs else ""
        self._head.value = look.style() + look.title(self.draft.base.name, called) + inputs
        line = self.draft.line()
        self._line.widget.rows = min(8, max(2, len(line) // 90 + 1))
        self._line.put(line)
        self._conflict.value = look.told(conflict, is_bad=True) if (conflict := self.draft.conflict()) else ""
        for part, rows in (("inputs", self._inputs), ("settings", self._settings)):
            shown = tuple(widget for row in rows for widget in row.widgets())
            if shown != self._grids[part].children:
                self._grids[part].children = shown
        if stale := [widget for row in self._rows() for widget in row.swept()]:
            self._styles.close(*stale)
        if self._still and self._still != (still := look.saved(self.draft)):
            self._still = still
            self._send(still, self._ids["still"], True)


_EMPTY: dict[str, Any] = {"text/html": "", "text/plain": ""}
"""An output that is there for later."""
