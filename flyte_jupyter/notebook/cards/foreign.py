"""Somebody else's HTML, such as that of a data frame, made fit to be put into a card."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from ...markup import VOID, Html, clean

# What a representation must not bring along: what runs, what loads, what swallows the rest of the page.
_DROPPED_WITH_CONTENT = frozenset({"script", "iframe", "object", "applet", "noscript", "template", "title"})
_DROPPED = frozenset(
    {"base", "body", "embed", "frame", "frameset", "head", "html", "link", "meta", "noembed", "noframes", "plaintext"}
    | {"form", "textarea", "xmp", "animate", "animatemotion", "animatetransform", "set"}
)
_RAW = frozenset({"style"})
_URLS = frozenset({"src", "srcset", "href", "xlink:href", "background", "poster", "data", "action", "formaction"})
_OUTSIDE = re.compile(r"(?i)@import|url\(\s*['\"]?\s*(?!data:|#)|image-set\(|src\(|expression\(|[<\\]")
_TOKEN = re.compile(r"/\*.*?\*/|\"[^\"{}\n]*\"|'[^'{}\n]*'|\burl\([^(){}]*\)", re.DOTALL)
_SHOWN = re.compile(r"<(?:img|svg|canvas|video|audio|hr|input|progress|meter)\b")
"""Elements that show something without any text."""


def contained(markup: str, *, limit: int) -> Html | None:
    """Somebody else's HTML with its tags balanced, so that it cannot reach out of the element it is put into.

    Scripts, frames, forms and everything loaded from elsewhere are left out: a card is shown in saved notebooks too.
    Style sheets hold for this element alone, in browsers that can see to that, and else not at all.  None when nothing
    is left to be seen, or when it would be longer than `limit` bytes.
    """
    if len(markup) > 4 * limit:
        return None
    keeper = _Keeper()
    keeper.feed(clean(markup))
    keeper.close()
    result = keeper.result()
    is_seen = keeper.has_text or _SHOWN.search(result)
    return result if is_seen and len(result.encode()) <= limit else None


class _Keeper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipped: list[str] = []
        self.has_text = False

    def result(self) -> Html:
        return Html("".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WITH_CONTENT:
            self._skipped.append(tag)
        if self._skipped or tag in _DROPPED or not re.fullmatch(r"[a-z][a-z0-9-]*", tag):
            return
        given = {name: value for name, value in attrs if _is_harmless(tag, name, value or "")}
        if tag == "img":
            alt = given.setdefault("alt", "") or ""
            if "src" not in given:  # it would be loaded from elsewhere
                self.handle_data(alt or "(a picture from elsewhere)")
                return
        kept = "".join(f" {of}" if value is None else f' {of}="{html.escape(value)}"' for of, value in given.items())
        self._out.append(f"<{tag}{kept}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
        elif tag in self._open:
            while True:
                last = self._open.pop()
                self._out.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._open and self._open[-1] in _RAW:
            self._out.append(f"@scope{{{data}}}" if _is_closed(data) else "")
        else:
            self.has_text = self.has_text or not data.isspace()
            self._out.append(html.escape(data, quote=False))


def _is_closed(sheet: str) -> bool:
    """Whether a style sheet loads nothing, and closes what it opens: else it would end the scope it is put into."""
    bare = _TOKEN.sub("", sheet)
    depth = 0
    for brace in re.findall("[{}]", bare):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and not _OUTSIDE.search(sheet) and not re.search(r"[\"']|/\*|\burl\(", bare)


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if not re.fullmatch(r"[a-zA-Z_:][-a-zA-Z0-9_:.]*", name) or name.startswith("on"):
        return False
    value = value.strip().lower()
    if name in _URLS:
        return value.startswith(("data:image/", "#")) or (tag == "a" and value.startswith(("https://", "http://")))
    return not (name == "style" and _OUTSIDE.search(value)) and name not in ("srcdoc", "autofocus", "accesskey")
