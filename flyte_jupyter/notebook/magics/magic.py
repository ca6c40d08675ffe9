"""A magic: a small function with its options beside it, which gets one `Use` and does the work.

    def doctor(use: Use) -> None: ...

    DOCTOR = Magic("flyte_doctor", Parser("%flyte_doctor", "What works, and what to do."), doctor)

What goes wrong in it is shown by `errors`, as the user's own error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..hooks import Hooks
from .options import Line, Parser


@dataclass(frozen=True)
class Use:
    """One use of a magic.

    Attributes:
        shell: where it was used; hooks: what happens around the shell's cells.
        written: the line as it was written, without the magic's name; line: the same, parsed.
        body: what stands below a cell magic; "" for a line magic.
    """

    shell: Any
    hooks: Hooks
    written: str
    line: Line
    body: str = ""

    @property
    def variables(self) -> dict[str, Any]:
        """Those of the notebook."""
        found: dict[str, Any] = self.shell.user_ns
        return found

    def publish(self, data: dict[str, Any]) -> None:
        """Display a MIME bundle."""
        from IPython.display import display

        display(data, raw=True)  # type: ignore[no-untyped-call]  # IPython annotates only a part of itself

    def say(self, text: str) -> None:
        """Display text."""
        self.publish({"text/plain": text})

    def file(self) -> tuple[str, int]:
        """The file name under which tracebacks find the cell, and the number of lines above the body in it; of a line
        magic, above its line.
        """
        raw, body = self.hooks.raw_cell, self.body.rstrip()
        if body and not raw.rstrip().endswith(body):  # called by a program
            raw = f"%%flyte_task {self.written}\n{self.body}"
        start = raw.rstrip().rfind(body) if body else max(0, raw.find(self.written.strip()))
        filename: str = self.shell.compile.cache(raw, self._number(), raw_code=raw)
        return filename, raw[:start].count("\n")

    def _number(self) -> int:
        """Of the cell, as it is shown beside it: newer versions of IPython count on before they run a cell."""
        count: int = self.shell.execution_count
        kept = self.shell.history_manager.input_hist_raw
        is_kept = len(kept) > 1 and kept[-1].rstrip() == self.hooks.raw_cell.rstrip()
        return len(kept) - 1 if is_kept else count


@dataclass(frozen=True)
class Magic:
    """A magic of IPython.

    Attributes:
        name: without its percent signs.
        parser: its options and its help.
        run: does the work; what it returns is what the magic returns.
        check: refuses what is wrong whatever the notebook has, in the line and the body below it, as `run` does first:
            by `OptionError`, `ConfigError`, or what `analyse` raises.
        takes_cell: whether it is a cell magic. IPython refuses these without a cell, so as a line magic it shows its
            help.
    """

    name: str
    parser: Parser
    run: Callable[[Use], Any]
    check: Callable[[Line, str], object] = lambda *_: None
    takes_cell: bool = False

    @property
    def written(self) -> str:
        """As people write it."""
        return f"{'%%' if self.takes_cell else '%'}{self.name}"
