"""`flyte.report`: what a task shows as HTML, in tabs (Flyte's module of that name).

    @env.task(report=True)
    def train(rows: list[dict]) -> float:
        flyte.report.log("<h2>Training</h2>")
        flyte.report.log(frame)                          # whatever a notebook shows as HTML or as a picture
        flyte.report.get_tab("errors").log(figure)

With `report=True` it is written and shown while the task runs and after it, also when it fails; without, when `flush`
says so.  Content is not escaped: it is shown in a frame that cannot reach the page around it.  Outside a task nothing
happens.
"""

from __future__ import annotations

import functools
import html
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, ParamSpec

from . import context
from .markup import Html, el, join, text

__all__ = [
    "Report",
    "Tab",
    "Timeline",
    "abbreviate",
    "current_report",
    "duration_ms",
    "flush",
    "get_tab",
    "log",
    "replace",
]

P = ParamSpec("P")
_MAIN = "main"
_STYLE = """\
body{margin:0;padding:.5rem;background:Canvas;color:CanvasText;font:14px/1.5 system-ui,sans-serif}
body{overflow-wrap:break-word}
img,svg{max-width:100%;height:auto}
table{border-collapse:collapse}td,th{padding:.2em .7em;text-align:right}thead{border-bottom:1px solid #8886}
pre{white-space:pre-wrap}h1,h2,h3{margin:.4em 0}
body>input{position:absolute;opacity:0}
body>label{display:inline-block;padding:.2rem .8rem;border-bottom:2px solid #8886;cursor:pointer}
body>input:checked+label{border-color:LinkText;font-weight:600}
body>input:focus-visible+label{outline:2px solid LinkText}
body>section{height:0;overflow:hidden;visibility:hidden}
"""
# Colours of the system: black on white, unless who shows it says `color-scheme: dark`.
# A tab that is not shown keeps its width, so that plots in it find out how large they may be.
_SHOWN = (
    "body>input:nth-of-type({0}):checked~section:nth-of-type({0}){{height:auto;visibility:visible;margin-top:.5rem}}\n"
)


class Tab:
    """One tab of a report.

    Attributes:
        name: what it is called; content: the pieces of HTML that were logged.
    """

    def __init__(self, name: str, changed: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.content: list[str] = []
        self._changed = changed

    def __repr__(self) -> str:
        return f"<Tab {self.name} [{len(self.content)} pieces]>"

    def log(self, content: object) -> None:
        """Add HTML, or an object that a notebook shows as HTML or as a picture (`as_html`)."""
        self.content.append(as_html(content))
        self._changed()

    def replace(self, content: object) -> None:
        """The same, in the place of all that was there."""
        self.content = [as_html(content)]
        self._changed()

    def get_html(self) -> str:
        """All of it."""
        return "\n".join(tuple(self.content))


class Report:
    """The report of a task.

    Attributes:
        name: of the task; tabs: by name, "main" is always there.
    """

    def __init__(self, name: str, changed: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self._changed = changed
        self.tabs: dict[str, Tab] = {_MAIN: Tab(_MAIN, changed)}

    def __repr__(self) -> str:
        return f"<Report {self.name} [{', '.join(self.html_of_tabs()) or 'empty'}]>"

    def has_content(self) -> bool:
        """Whether anything was logged."""
        return bool(self.html_of_tabs())

    def get_tab(self, name: str, create_if_missing: bool = True) -> Tab:
        """A tab by its name. Raises `ValueError` when it is not there and not to be made."""
        if name not in self.tabs:
            if not create_if_missing:
                raise ValueError(f"Tab {name} does not exist; there are: {', '.join(self.tabs)}.")
            self.tabs[name] = Tab(name, self._changed)
        return self.tabs[name]

    def html_of_tabs(self) -> dict[str, str]:
        """The tabs that have something in them."""
        return {tab.name: tab.get_html() for tab in tuple(self.tabs.values()) if tab.content}

    def get_final_report(self) -> str:
        """All of it as one page."""
        return page(self.name, self.html_of_tabs())


class Page(str):
    """A report as one page of HTML, a text (Flyte) that a notebook shows in a frame; scripts in it run there.

    Attributes:
        tabs: the HTML of each tab by its name; heading: the task and the attempt that it is of.
    """

    __slots__ = ("heading", "tabs")
    tabs: Mapping[str, str]
    heading: str

    @classmethod
    def of(cls, heading: str, tabs: Mapping[str, str]) -> Page:
        """Made of tabs."""
        made = cls(page(heading, tabs))
        made.heading, made.tabs = heading, dict(tabs)
        return made

    @property
    def html(self) -> str:
        """The same as a plain text."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"<report of {self.heading}: {words(list(self.tabs), len(self.encode()))}>"

    def save(self, path: str | Path) -> Path:
        """Write it to a file that any browser shows; its path."""
        target = Path(path)
        target.write_text(self, encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        shown = frame(self, title=f"Report of {self.heading}", height=480, sandbox="allow-scripts allow-popups")
        return join(shown, el("div", el("small", repr(self)[1:-1])))


def page(title: str, tabs: Mapping[str, str]) -> str:
    """One page of HTML with a tab for each, without a script of its own; what is in the tabs is not escaped."""
    if len(tabs) < 2:
        body = join(*(Html(f"<div>{content}</div>") for content in tabs.values()))
        style = _STYLE
    else:
        inputs = [
            f'<input type="radio" name="tab" id="tab-{i}"{" checked" * (i == 0)}>'
            f'<label for="tab-{i}">{text(name)}</label>'
            for i, name in enumerate(tabs)
        ]
        sections = [f"<section>{content}</section>" for content in tabs.values()]
        body = Html("".join([*inputs, *sections]))
        style = _STYLE + "".join(_SHOWN.format(i + 1) for i in range(len(tabs)))
    head = join(Html('<meta charset="utf-8">'), el("title", title), el("style", Html(style)))
    return f"<!DOCTYPE html>\n<html><head>{head}</head><body>{body}</body></html>\n"


def frame(document: str, *, title: str, height: int, sandbox: str = "") -> Html:
    """A document in a frame, to be resized by hand, that cannot reach the page around it."""
    style = f"width:100%;height:{height}px;border:1px solid #8886;border-radius:3px;background:#fff;resize:vertical"
    written = html.escape(document)  # all of it, since `el` takes away what a page may have
    start = el("iframe", sandbox=sandbox, title=title, style=style, loading="lazy")
    return Html(start.removesuffix("></iframe>") + f' srcdoc="{written}"></iframe>')


def words(tabs: list[str], size: int) -> str:
    """How much it is."""
    number = f"{len(tabs)} tabs ({', '.join(tabs)})" if len(tabs) > 1 else "1 tab" if tabs else "empty"
    return f"{number}, {math.ceil(size / 1024):,} KiB" if size < 1 << 20 else f"{number}, {size / (1 << 20):,.1f} MiB"


# --- what a task calls ------------------------------------------------------------------------------------------------


class Dual(Generic[P]):
    """A function, and `.aio` of it, which does not block the event loop."""

    def __init__(self, func: Callable[P, None]) -> None:
        self._func = func
        functools.update_wrapper(self, func)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        self._func(*args, **kwargs)

    async def aio(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """The same, awaited."""
        import asyncio

        await asyncio.to_thread(self._func, *args, **kwargs)


def current_report() -> Report:
    """The report of this task; outside a task one that nobody sees."""
    outlet = context.outlet()
    return outlet.report if outlet is not None else Report("dummy")


def get_tab(name: str, /, create_if_missing: bool = True) -> Tab:
    """A tab of this task's report, made when it is not there."""
    return current_report().get_tab(name, create_if_missing)


@Dual
def log(content: object, do_flush: bool = False) -> None:
    """Add HTML to the tab "main", or an object that a notebook shows as HTML or as a picture.

    Args:
        do_flush: write the report now.
    """
    get_tab(_MAIN).log(content)
    if do_flush:
        _flush()


@Dual
def replace(content: object, do_flush: bool = False) -> None:
    """The same, in the place of all that is in the tab "main"."""
    get_tab(_MAIN).replace(content)
    if do_flush:
        _flush()


def _flush() -> None:
    outlet = context.outlet()
    if outlet is not None:
        outlet.flush()


@Dual
def flush() -> None:
    """Write the report now, so that it can be seen while the task runs, and without `report=True` at all."""
    _flush()


def as_html(value: object) -> str:
    """What a notebook shows of an object: its HTML, else a picture, else its text; a text is HTML already."""
    if isinstance(value, str):
        return value
    if (made := _called(value, "_repr_html_")) or (made := _bundled(value).get("text/html")):
        return str(made)
    figure = value if hasattr(value, "savefig") else getattr(value, "figure", None)  # seaborn gives axes
    if hasattr(figure, "savefig"):
        return _drawn(figure)
    if made := _called(value, "_repr_svg_"):
        return str(made)
    for name, kind in (("_repr_png_", "png"), ("_repr_jpeg_", "jpeg")):
        if isinstance(made := _called(value, name), bytes):
            return _image(made, kind)
    return el("pre", repr(value))


def _called(value: object, name: str) -> Any:
    method = getattr(value, name, None) if not isinstance(value, type) else None
    return method() if callable(method) else None


def _bundled(value: object) -> Mapping[str, Any]:
    made = getattr(value, "_repr_mimebundle_", None) and _called(value, "_repr_mimebundle_")
    data = made[0] if isinstance(made, tuple) else made
    return data if isinstance(data, Mapping) else {}


def _drawn(figure: Any) -> str:
    """A figure of matplotlib, drawn without a screen whatever its back end is."""
    import io

    picture = io.BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight", dpi=100)
    return _image(picture.getvalue(), "png")


def _image(data: bytes, kind: str) -> str:
    import base64

    return el("img", src=f"data:image/{kind};base64,{base64.b64encode(data).decode()}", alt="")


# --- Flyte's parts for reports ----------------------------------------------------------------------------------------

_MOST_CHARACTERS = 20_000
"""Of a long text that opens."""


def abbreviate(value: Any, limit: int = 300) -> str:
    """A value as escaped text; a longer one opens."""
    said = "" if value is None else str(value)
    if len(said) <= limit:
        return html.escape(said)
    rest = f"\n… {len(said) - _MOST_CHARACTERS:,} more characters" if len(said) > _MOST_CHARACTERS else ""
    head = el("summary", f"{said[:limit]}… (+{len(said) - limit})")
    return el("details", head, el("pre", said[:_MOST_CHARACTERS] + rest), style="display:inline-block")


def duration_ms(start_iso: Any, end_iso: Any) -> str:
    """The time between two moments in ISO 8601, such as "120 ms"; "" when there is none."""
    try:
        start, end = (datetime.fromisoformat(str(each).replace("Z", "+00:00")) for each in (start_iso, end_iso))
        return f"{(end - start).total_seconds() * 1000:.0f} ms"
    except (ValueError, TypeError):
        return ""


class Timeline:
    """Rows below each other in a tab: what happened, one after the other."""

    def __init__(self, tab_name: str = _MAIN) -> None:
        self._tab_name = tab_name

    def heading(self, text: Any) -> None:
        """A heading; the text is escaped."""
        get_tab(self._tab_name).log(el("h3", text))

    def row(self, *, icon: str = "•", label: Any = "", meta: str = "", detail: str = "", error: Any = None) -> None:
        """One row; `detail` is HTML, the others are escaped."""
        told = join(f"{icon} ", el("b", label), " ", el("small", meta), Html(f" — {detail}") if detail else None)
        wrong = join(" ", el("span", "⚠ ", Html(abbreviate(error, 200)), style="color:#b3261e")) if error else None
        get_tab(self._tab_name).log(el("div", told, wrong, style="padding:3px 0;border-bottom:1px solid #8883"))
