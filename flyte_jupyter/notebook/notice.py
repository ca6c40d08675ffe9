"""The end of a run in the background, told by the desktop of the machine that the kernel runs on, where it has one.

Front ends offer nothing for it without code of ours: an update changes the card where it is, scripts in outputs are not
run for good reasons, and messages that belong to no cell are thrown away. So besides the card there are a line at the
end of the cell that runs then, or of the next one (`Hooks`), and this.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .. import context
from .cards import card

VARIABLE = "FLYTE_JUPYTER_NOTIFY"
AFTER = 10.0
"""Seconds that a run has to take: of a shorter one its card is still in view."""
_APPLESCRIPT = ("on run given", "display notification (item 2 of given) with title (item 1 of given)", "end run")


class Awaited(Protocol):
    """What a notice needs of a run."""

    @property
    def created(self) -> float: ...
    def done(self) -> bool: ...
    def view(self) -> dict[str, Any]: ...
    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]: ...


def after(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds that a run has to take to be told of: `$FLYTE_JUPYTER_NOTIFY`, None when that is "no"."""
    given = environ.get(VARIABLE, "")
    try:
        return None if given == "no" else float(given)
    except ValueError:
        return AFTER


def command(
    title: str,
    text: str,
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> list[str] | None:
    """The program that tells it; None where nobody would see it: no desktop, or one that is not the user's. Pure."""
    if "SSH_CONNECTION" in environ:
        return None
    if platform == "darwin" and (program := which("osascript")):
        script = [word for line in _APPLESCRIPT for word in ("-e", line)]
        return [program, *script, title, text]
    if (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")) and (program := which("notify-send")):
        return [program, "--app-name=Jupyter", "--", title, html.escape(text, quote=False)]
    return None


def when_done(run: Awaited) -> None:
    """Tell its end, if it takes long enough."""
    seconds = after()
    if seconds is None or command("", "") is None:
        return
    told = threading.Event()

    def news() -> None:
        if run.done() and not told.is_set():
            told.set()
            if time.time() - run.created >= seconds:
                threading.Thread(target=_tell, args=(run,), name="flyte-notice", daemon=True).start()

    run.subscribe(news)
    news()


def _tell(run: Awaited) -> None:
    words = command(card.line(run.view(), now=time.time()), os.path.basename(context.notebook.get("path", "")))
    if words is not None:
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
