"""What a panel says beside its editors, and what of it stays in the saved notebook: HTML, pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...config.resolve import LEVEL_NAMES
from ...config.say import said
from ...config.spec import OVERRIDE, PARAMS
from ...markup import Html, el, join, table
from ..cards.theme import CSS as CARD_CSS
from .draft import Draft, task_name

OVERRIDDEN = LEVEL_NAMES[OVERRIDE]
LIVE = "flyte-panel-live"
"""The class of a panel whose kernel lives."""
STILL = "flyte-panel-still"
"""The class of what is saved."""

_COLOURS = {"environment": "blue", "decorator": "magenta", "override": "green", "default": "muted"}

# JupyterLab and Notebook keep the view of a widget in the saved file, and write an error where its kernel is gone.
# These rules show the live panel or, where there is none, what was saved of it, and need no script and no kernel.
_OUTPUT = ".jp-OutputArea-child"
_ALIVE = f".{LIVE}:not(.jupyter-widgets-disconnected)"
_WHICH = (
    f"{_OUTPUT}:has(.{STILL})+{_OUTPUT}:not(:has({_ALIVE})){{display:none}}"
    f"{_OUTPUT}:has(.{STILL}):has(+{_OUTPUT} {_ALIVE}){{display:none}}"
)
_RULES = (
    f".{LIVE}.{LIVE} .fp-grid{{display:grid;grid-template-columns:minmax(19em,28em) minmax(8em,1fr) max-content;"
    "gap:0 10px;align-items:start}"
    f".{LIVE} .fp-parts .fp-label{{min-width:14em!important}}"
    ".fp-grid>.fp-editor{grid-column:1}.fp-grid>.fp-note{grid-column:2}.fp-grid>.fp-reset{grid-column:3;justify-self:start}"
    ".fp-grid>.fp-parts{grid-column:1/-1;margin:0 0 6px 2em;border-left:2px solid var(--fr-line,#888);padding-left:8px}"
    ".fp-parts{display:grid;grid-template-columns:minmax(22em,32em) minmax(8em,1fr);gap:0 10px;align-items:start}"
    ".fp-parts>.fp-editor{grid-column:1}.fp-parts>.fp-note{grid-column:2}.fp-parts>.fp-parts{grid-column:1/-1;"
    "margin-left:2em}.fp-about{font-size:12px;opacity:.75}"
    f".{LIVE} .fp-parts>.fp-editor>.widget-label{{width:14em!important}}"
    ".fp-note{min-width:0;overflow:hidden}"
    ".fp-note .widget-html-content{flex:1;min-width:0;line-height:1.4;padding:3px 0;white-space:normal}"
    ".fp-parts:empty{display:none}.fp-fold.fp-fold{text-align:left;background:none;box-shadow:none}"
    f".{LIVE} .fp-label{{flex:none;min-width:11em!important;display:flex;justify-content:flex-end;margin-right:8px}}"
    ".fp-pair .widget-label,.fp-heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    f".{LIVE} .fp-off{{display:none!important}}"
    f".{LIVE} .fp-pair button{{flex:none;width:auto}}"
    ".fp-wrong input,.fp-wrong textarea,.fp-wrong select,.fp-fold.fp-wrong{box-shadow:0 0 0 2px #c5392f!important}"
    f".{LIVE} :is(button,input,textarea,select):focus-visible{{outline:2px solid var(--jp-brand-color1,#0b57b0);"
    "outline-offset:1px}"
    ".fp-set input,.fp-set textarea,.fp-set select{border-left:4px solid var(--fp-set,#18702f)!important}"
    f".{LIVE} .flyte-run{{border:0;padding:0;margin:0;max-width:none;background:none}}"
    ".flyte-run .fp-level{border:1px solid currentColor;border-radius:3px;padding:0 .4em;font-size:11px}"
    ".flyte-run .fp-bad{color:var(--fr-bad);white-space:pre-wrap}"
)


def style() -> Html:
    """The style sheet of a live panel."""
    return el("style", Html(CARD_CSS + _RULES + _WHICH))


def box(*content: object) -> Html:
    """Content in the colours of cards."""
    return el("div", *content, cls="flyte-run fr-plain")


def level(name: str) -> Html:
    """The level that a value comes from: a word in a colour of its own."""
    return el("span", name, cls=f"fp-level fr-{_COLOURS[name]}")


def note(words: str, where: str, doc: str, problem: str) -> Html:
    """What stands beside an editor: the value in words with its level, what it means, and what is wrong."""
    bad = el("div", el("span", "✗ ", aria_hidden="true"), problem, cls="fp-bad", role="alert") if problem else None
    about = el("span", doc, cls="fr-muted fr-small")
    return box(el("div", level(where), " ", words, " ", about), bad)


def input_note(kind: str, default: str, problem: str, *, is_given: bool) -> Html:
    """What stands beside the editor of an input; that it is missing is no mistake yet."""
    state = "given" if is_given else f"default {default}" if default else "required"
    bad = el("div", el("span", "✗ ", aria_hidden="true"), problem, cls="fp-bad", role="alert")
    return box(el("code", kind), el("span", f" · {state}", cls="fr-muted"), bad if problem and is_given else None)


def title(name: str, called: str) -> Html:
    """The head of a panel."""
    levels = join(*(part for one in ("default", "environment", "decorator", OVERRIDDEN) for part in (level(one), " ")))
    return box(
        el("div", f"Override {called}", cls="fr-title", role="heading", aria_level="3"),
        el("div", el("code", name), " · values from: ", levels, cls="fr-small fr-muted"),
    )


def heading(text: str) -> Html:
    """The head of a part of a panel."""
    return box(el("div", text, cls="fr-label", role="heading", aria_level="4"))


def told(text: str, *, is_bad: bool = False) -> Html:
    """What happened."""
    mark = el("span", "✗ ", aria_hidden="true") if is_bad else None
    return box(el("div", mark, text, cls="fp-bad" if is_bad else "fr-words", role="alert" if is_bad else "status"))


def comparison(run: str, rows: Sequence[tuple[str, str, str]]) -> Html:
    """What differs from the last run."""
    if not rows:
        return told(f"As in the last run, {run}.")
    shown = table(("setting", f"last run {run}", "now"), rows, title="Compared with the last run", cls="fr-table")
    return box(el("div", shown, role="status"))


def difference(then: Iterable[Mapping[str, str]], now: Iterable[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Settings of two runs, as their records have them: (name, then, now) of those that differ."""
    before, after = ({row["name"]: f"{row['value']} ({row['level']})" for row in rows} for rows in (then, now))
    every = dict.fromkeys([*before, *after])
    found = ((name, before.get(name, "default"), after.get(name, "default")) for name in every)
    return [row for row in found if row[1] != row[2]]


def saved(draft: Draft, more: str = "") -> dict[str, str]:
    """What of a panel is saved: its line, as text and as HTML, without what looks like a credential."""
    line = draft.line()
    given = []
    for name in draft.settings:
        if not draft.problem(name):
            value = PARAMS[name].accept(draft.value(name))
            given.append((name, said(PARAMS[name], PARAMS[name].default if value is None else value)))
    called = task_name(draft.base, draft.names)
    page = still(called, line, given, more=more or "The form is there as long as its kernel runs.")
    return {"text/html": page, "text/plain": f"{line}\n{more}".strip()}


def still(name: str, line: str, given: Sequence[tuple[str, str]], *, more: str = "") -> Html:
    """What a saved notebook shows: the line, what it sets in words, and how to get the panel back."""
    rows = [(key, words, level(OVERRIDDEN)) for key, words in given]
    code = el("pre", el("code", line), tabindex="0", role="region", aria_label="The line of code")
    return el(
        "div",
        el("style", Html(CARD_CSS + _RULES + _WHICH)),
        el("div", f"Override {name}", cls="fr-title"),
        code,
        table(("setting", "value", "from"), rows, title="Settings of the override", cls="fr-table") if rows else None,
        el("div", more, cls="fr-muted fr-small") if more else None,
        cls=f"flyte-run fr-plain {STILL}",
        role="group",
        aria_label=f"Override of {name}",
    )
