"""The look of a card: colours for light and dark, and the style sheet made from them.

JupyterLab, Notebook and nbconvert pages bring `--jp-*` variables for text and background and say in
`data-jp-theme-light` which kind of theme they are; VS Code says it with a class of the body.  Elsewhere the system's
preference counts, and then background and text are ours too, so that they fit each other whatever the page is.
"""

from __future__ import annotations

import re

from ...markup import Html, el

LIGHT = {
    "bg": "#ffffff",
    "fg": "#1f2328",
    "muted": "#59636e",
    "line": "#d1d9e0",
    "panel": "#f6f7f9",
    "ok": "#18702f",
    "bad": "#b3261e",
    "run": "#0b57b0",
    "wait": "#6b5200",
    "black": "#1f2328",
    "red": "#b3261e",
    "green": "#146c2e",
    "yellow": "#735000",
    "blue": "#0b57b0",
    "magenta": "#8a2a9b",
    "cyan": "#0a6570",
    "white": "#59636e",
}
DARK = {
    "bg": "#111111",
    "fg": "#e3e3e3",
    "muted": "#a8a8a8",
    "line": "#4a4a4a",
    "panel": "#1d1d1d",
    "ok": "#63cd84",
    "bad": "#ff8f85",
    "run": "#7fb3ff",
    "wait": "#e0b558",
    "black": "#a0a0a0",
    "red": "#ff8f85",
    "green": "#6fd38a",
    "yellow": "#e6c15a",
    "blue": "#85b8ff",
    "magenta": "#d9a0e8",
    "cyan": "#6fd0dc",
    "white": "#e3e3e3",
}

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

# Where a page has its own value it wins; accents, panels and log colours are always ours, chosen for the kind of theme.
_PAGE = {
    "bg": "--jp-layout-color0,var(--vscode-editor-background,{})",
    "fg": "--jp-ui-font-color1,var(--vscode-editor-foreground,{})",
    "line": "--jp-border-color2,{}",
}


def _tokens(palette: dict[str, str]) -> str:
    pairs = ((k, f"var({_PAGE[k].format(v)})" if k in _PAGE else v) for k, v in palette.items())
    return ";".join(f"--fr-{k}:{v}" for k, v in pairs)


# Lists name the class twice, and code three times: JupyterLab's own rules for HTML in outputs outdo fewer.
_RULES = """\
.flyte-run{box-sizing:border-box;max-width:60rem;margin:.25rem 0;padding:.5rem .75rem;color:var(--fr-fg);
background:var(--fr-bg);border:1px solid var(--fr-line);border-left:4px solid var(--fr-now);border-radius:4px;
font:13px/1.5 var(--jp-ui-font-family,system-ui,-apple-system,"Segoe UI",sans-serif);text-align:left}
.flyte-run *{box-sizing:border-box}
.flyte-run [data-phase=succeeded],.flyte-run[data-phase=succeeded]{--fr-now:var(--fr-ok)}
.flyte-run [data-phase=failed],.flyte-run[data-phase=failed],
.flyte-run [data-phase=timed_out],.flyte-run[data-phase=timed_out]{--fr-now:var(--fr-bad)}
.flyte-run [data-phase=aborted],.flyte-run[data-phase=aborted],
.flyte-run [data-phase=warned],.flyte-run[data-phase=warned]{--fr-now:var(--fr-wait)}
.flyte-run [data-phase=running],.flyte-run[data-phase=running],
.flyte-run [data-phase=initializing],.flyte-run[data-phase=initializing]{--fr-now:var(--fr-run)}
.flyte-run [data-phase=queued],.flyte-run[data-phase=queued],
.flyte-run [data-phase=waiting_for_resources],.flyte-run[data-phase=waiting_for_resources]{--fr-now:var(--fr-muted)}
.flyte-run .fr-head,.flyte-run .fr-row{display:flex;flex-wrap:wrap;gap:0 .6em;align-items:baseline}
.flyte-run .fr-head{overflow-wrap:anywhere}.flyte-run .fr-title{font-size:15px;font-weight:600}
.flyte-run .fr-phase{color:var(--fr-now);font-weight:600;white-space:nowrap}
.flyte-run .fr-icon{display:inline-block;width:1.2em;text-align:center}
.flyte-run .fr-muted{color:var(--fr-muted)}
.flyte-run .fr-right{margin-left:auto;white-space:nowrap;font-variant-numeric:tabular-nums}
.flyte-run .fr-head .fr-right{font-size:15px;font-weight:600}
.flyte-run .fr-small{font-size:12px}
.flyte-run .fr-phases{margin:.1rem 0 0;color:var(--fr-muted)}
.flyte-run .fr-phases span{white-space:nowrap}
.flyte-run .fr-phases .fr-why{white-space:normal}
.flyte-run .fr-phases b{color:var(--fr-fg);font-weight:600;font-variant-numeric:tabular-nums}
.flyte-run .fr-bar{display:flex;gap:1px;height:4px;margin:.35rem 0 .1rem;overflow:hidden;border-radius:2px}
.flyte-run .fr-bar span{flex-basis:0;min-width:2px;background:var(--fr-now)}
.flyte-run .fr-sec{margin:.45rem 0 0}
.flyte-run .fr-label{color:var(--fr-muted);font-weight:600;font-size:12px}
.flyte-run details{margin:.45rem 0 0}
.flyte-run details details{margin:0}
.flyte-run summary{display:flex;cursor:pointer;color:var(--fr-fg);list-style:none}
.flyte-run summary::-webkit-details-marker{display:none}
.flyte-run summary::before{content:"▸\\fe0e";flex:none;width:1.1em;color:var(--fr-muted)}
.flyte-run details[open]>summary::before{content:"▾\\fe0e"}
.flyte-run summary>.fr-row{flex:1}
.flyte-run summary:focus-visible,
.flyte-run [tabindex]:focus-visible{outline:2px solid var(--fr-run);outline-offset:1px}
.flyte-run.flyte-run.flyte-run pre,.flyte-run .fr-rich{margin:.2rem 0 0;padding:.35rem .5rem;max-height:20em;
overflow:auto;background:var(--fr-panel);border-radius:3px}
.flyte-run .fr-log{display:flex;flex-direction:column-reverse;max-height:20em;overflow:auto;margin:.2rem 0 0}
.flyte-run.flyte-run.flyte-run .fr-log pre{max-height:none;margin:0;flex:none}
.flyte-run.flyte-run.flyte-run pre,.flyte-run.flyte-run.flyte-run code{color:var(--fr-fg);
font:12px/1.45 var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)}
.flyte-run pre{white-space:pre-wrap;overflow-wrap:anywhere}
.flyte-run.flyte-run.flyte-run code{padding:0;background:none;overflow-wrap:anywhere}
.flyte-run .fr-rich{background:none;padding:0;isolation:isolate;contain:layout paint}
.flyte-run .fr-rich>img,.flyte-run .fr-rich>svg{display:block;max-width:100%;max-height:19em;width:auto;height:auto}
.flyte-run .fr-rich table.dataframe{border-collapse:collapse;border:0;font-size:12px}
.flyte-run .fr-rich table.dataframe :is(td,th){border:0;padding:.15em .7em}
.flyte-run .fr-rich table.dataframe thead{border-bottom:1px solid var(--fr-line)}
.flyte-run .fr-stderr{display:block;border-left:2px solid var(--fr-muted);padding-left:.4em;margin-left:-.5em}
.flyte-run .fr-image{display:block;color:var(--fr-muted)}
.flyte-run .fr-error{color:var(--fr-bad);font-weight:600;overflow-wrap:anywhere;white-space:pre-wrap}
.flyte-run.flyte-run ul.fr-tree,.flyte-run.flyte-run ul.fr-notes{list-style:none;margin:.1rem 0 0;padding:0}
.flyte-run.flyte-run ul.fr-tree ul.fr-tree{margin:0 0 0 .55em;padding-left:.8em;border-left:1px solid var(--fr-line)}
.flyte-run.flyte-run ul.fr-tree li{margin:0;padding:0}
.flyte-run li>.fr-row,.flyte-run .fr-flat>.fr-row{padding-left:1.1em}
.flyte-run .fr-row .fr-phase{font-weight:400}
.flyte-run .fr-scroll{max-height:24em;overflow:auto}
.flyte-run .fr-counts{width:8em;align-self:center;flex:none;height:6px;margin:0}
.flyte-run table.fr-table{border-collapse:collapse;margin:.2rem 0 0;font-size:12px;
color:var(--fr-fg);border:0}
.flyte-run table.fr-table tr{background:none}
.flyte-run table.fr-table th,.flyte-run table.fr-table td{padding:.1rem 1rem .1rem 0;text-align:left;vertical-align:top;
border:0;max-width:34rem;white-space:normal;overflow-wrap:anywhere}
.flyte-run table.fr-table thead th{color:var(--fr-muted);border-bottom:1px solid var(--fr-line)}
.flyte-run.fr-plain{border-left-width:1px;border-left-color:var(--fr-line)}
.flyte-run a{color:var(--fr-run)}
.flyte-run .fr-words{white-space:pre-wrap;overflow-wrap:anywhere;max-height:20em;overflow:auto}
.flyte-run .fr-first{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.flyte-run .fr-bold{font-weight:700}
.flyte-run.flyte-run.flyte-run code.fr-muted{color:var(--fr-muted)}
.flyte-run .fr-line{display:flex;flex-wrap:wrap;gap:0 .6em;align-items:center}
.flyte-run .fr-line>.fr-label{min-width:4.5em}
.flyte-run .fr-progress{width:12em;height:8px;accent-color:var(--fr-run)}
.flyte-run .fr-spark{width:160px;height:24px;overflow:visible}
.flyte-run .fr-used{fill:none;stroke:var(--fr-run);stroke-width:1.5}
.flyte-run .fr-asked{stroke:var(--fr-muted);stroke-dasharray:4 3}
.flyte-run.flyte-run.flyte-run code.fr-code{user-select:all;cursor:copy;padding:0 .35em;background:var(--fr-panel);
border-radius:3px}
.flyte-run .fr-panel{padding:.1rem .5rem .4rem 1.1em}
"""


# A tab is a `<details>` whose summary stands in the row of tabs, and whose content below it.  Browsers that cannot
# place the content by itself show one below the other.
_TABS = """\
@supports selector(details::details-content){
.flyte-run .fr-tabs{display:flex;flex-wrap:wrap;gap:0 .2rem;margin:.2rem 0 0}
.flyte-run .fr-tabs>details{display:contents}
.flyte-run .fr-tabs>details>summary{order:0;padding:.1rem .7rem;border:1px solid var(--fr-line);
border-bottom:2px solid var(--fr-line);border-radius:4px 4px 0 0}
.flyte-run .fr-tabs>details[open]>summary{background:var(--fr-panel);border-bottom-color:var(--fr-run);font-weight:600}
.flyte-run .fr-tabs>details::details-content{order:1;flex:0 0 100%;min-width:0}
.flyte-run .fr-tabs .fr-panel{padding:.1rem .2rem .2rem}
}
"""

# Who asks for more contrast gets no greys.  A system that puts its own colours in place of ours would make all bars the
# same; what they tell stands beside them in words.
_CONTRAST = (
    "@media (prefers-contrast:more){.flyte-run.flyte-run.flyte-run{--fr-muted:var(--fr-fg);--fr-line:var(--fr-fg)}}"
    ".vscode-high-contrast .flyte-run.flyte-run,[data-jp-theme-name*='High Contrast'] .flyte-run.flyte-run"
    "{--fr-muted:var(--fr-fg);--fr-line:var(--fr-fg)}"
    "@media (forced-colors:active){.flyte-run .fr-bar{forced-color-adjust:none}}"
)


def _sheet() -> str:
    light, dark = _tokens(LIGHT), _tokens(DARK)
    is_light = "[data-jp-theme-light=true] .flyte-run,.vscode-light .flyte-run,.vscode-high-contrast-light .flyte-run"
    is_dark = (
        "[data-jp-theme-light=false] .flyte-run,.vscode-dark .flyte-run,"
        ".vscode-high-contrast:not(.vscode-high-contrast-light) .flyte-run"
    )
    parts = [
        f".flyte-run{{--fr-now:var(--fr-muted);color-scheme:light;{light}}}",
        f"@media (prefers-color-scheme:dark){{.flyte-run{{color-scheme:dark;{dark}}}}}",
        f"{is_light}{{color-scheme:light;{light}}}",
        f"{is_dark}{{color-scheme:dark;{dark}}}",
        _RULES.replace("\n", ""),
        _TABS.replace("\n", ""),
        _CONTRAST,
        *(f".flyte-run .fr-{c}{{color:var(--fr-{c})}}" for c in _COLOURS),
    ]
    return "".join(parts)


CSS = _sheet()
"""Everything is scoped to `.flyte-run`."""
_RULE = re.compile(r"@[^{]*\{(?:[^{}]*\{[^{}]*\})*\}|[^{}]*\{[^{}]*\}")
_CLASS = re.compile("fr-[a-z]+")


def _classes(rule: str) -> list[frozenset[str]]:
    """What each of its selectors asks for."""
    rule = rule.partition("{")[2] if rule.startswith("@") else rule
    selectors = ",".join(re.findall(r"([^{}]+)\{", rule)).split(",")
    return [frozenset(of[1:] for of in re.findall(r"\.fr-[a-z]+", selector)) for selector in selectors]


_ASKED = [(rule, _classes(rule)) for rule in _RULE.findall(CSS)]


def style(body: str) -> Html:
    """The style sheet of what this HTML has: each card that is saved brings its own, so there is no more in it."""
    used = frozenset(_CLASS.findall(body))
    return el("style", Html("".join(rule for rule, asked in _ASKED if any(of <= used for of in asked))))
