"""What the first action printed, and its attempts: a tab for each, made of `<details>`.

Where styles are stripped, as in a notebook that is not trusted, they are `<details>` below each other.  Radio buttons
would not do: the sanitisers of JupyterLab and GitHub leave them without their names, and what they hide is shown.  Each
tab opens by itself, so that two attempts can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...markup import Html, el, join
from ...once import made_once
from . import timeline
from .logtext import coloured
from .parts import View, failure, phase, root_of, row, times
from .usage import used

_APART = {"stderr": "stderr", "image": "the build of the image"}
"""Streams that are not the task's standard output, and what they are."""
_MOST = 10
"""Attempts that have a tab: the last ones."""


@made_once
def log(found: Mapping[str, Any] | None, attempt: int | None = None) -> Html | None:
    """The last lines an action printed, of one attempt or of all."""
    lines = [line for line in found["lines"] if attempt is None or line[0] == attempt] if found else []
    if not lines:
        return None
    blocks: list[Html] = []
    block: list[str] = []
    for i, (_, _, stream, text) in enumerate(lines):
        block.append(coloured(text, 1000))
        if i + 1 == len(lines) or lines[i + 1][2] != stream:
            is_apart = stream != "stdout"
            content = Html("\n".join(block) + ("" if is_apart else "\n"))
            blocks.append(el("span", content, cls=f"fr-{stream}", title=_APART[stream]) if is_apart else content)
            block = []
    return el("div", el("pre", join(*blocks)), cls="fr-log", role="group", tabindex="0", aria_label="log")


def log_title(found: Mapping[str, Any]) -> str:
    shown, printed = len(found["lines"]), found["printed"]
    if shown < printed:
        return f"Log: showing last {shown:,} of {printed:,} lines"
    return f"Log: {printed:,} line{'s' if printed != 1 else ''}"


def root_log(view: View, now: float) -> Html | None:
    found = view["logs"].get(view["root"])
    body = log(found)
    if body is None or attempts(view, now) is not None:
        return None
    is_open = view["phase"] != "succeeded" or found["printed"] <= 12
    return el("details", el("summary", log_title(found)), body, open=is_open)


def attempts(view: View, now: float) -> Html | None:
    """Each attempt of the first action, when there was more than one."""
    action = root_of(view)
    numbers = sorted({int(step[2]) for step in action["history"]} | {int(n) for n in action["failures"]})
    if action["attempt"] == 0 or len(numbers) < 2:
        return None
    shown = numbers[-_MOST:]
    tabs = [_tab(view, now, n, is_open=n == shown[-1]) for n in shown]
    hidden = action["attempt"] + 1 - len(tabs)
    label = f"Attempts: {action['attempt'] + 1}" + (f" (the last {len(tabs)})" if hidden > 0 else "")
    told = "· " + log_title(view["logs"][view["root"]]).lower() if view["root"] in view["logs"] else None
    above = join(el("span", label, cls="fr-label"), " ", el("span", told, cls="fr-muted fr-small") if told else None)
    return el("div", above, el("div", *tabs, cls="fr-tabs"), cls="fr-sec")


def _tab(view: View, now: float, n: int, *, is_open: bool) -> Html:
    action = root_of(view)
    found = action["failures"].get(str(n))
    of = action["phase"] if n == action["attempt"] else "failed"
    if n == action["attempt"] and found is not None and of == "queued":
        of = "failed"
    seconds = sum(
        s.seconds for s in timeline.segments(action["history"], now) if s.attempt == n and s.name != "retry wait"
    )
    title = row(
        el("span", f"Attempt {n + 1}"),
        phase(of),
        el("span", found["code"], cls="fr-muted") if found else None,
        el("span", timeline.seconds(seconds), cls="fr-muted"),
    )
    is_told = is_open and view["phase"] in timeline.BAD  # above, under "Error"
    printed = log(view["logs"].get(view["root"]), n)
    silent = (
        el("div", "It printed nothing.", cls="fr-muted fr-small") if printed is None and n < action["attempt"] else None
    )
    shown = used(action.get("vitals", {}).get(str(n), {}), view["asked"]) if n < action["attempt"] else None
    body = join(times(action, now, n), shown, failure(found) if found and not is_told else None, printed, silent)
    return el("details", el("summary", title), el("div", body, cls="fr-panel"), open=is_open)
