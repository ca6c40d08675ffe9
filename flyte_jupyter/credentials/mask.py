"""Takes the values of secrets out of text: as they are, and as JSON, a URL, HTML, Python or base64 would have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

MASKED = "***"
_LEAST = 4
"""Shorter values, and shorter lines of longer ones, would be found everywhere."""
_LEAST_BASE64 = 8
SEARCHED = 16 * 1024 * 1024
"""Larger pieces of data are not searched: they are arrays, and it would take long."""

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})  # html is slow to import


class Mask:
    """Replaces values wherever they occur, and each line of those that have several. Falsy when there is nothing to
    replace.

    Args:
        values: of the secrets.

    Attributes:
        longest: characters of the longest text that it replaces; a text that is cut needs so many more to be sure.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._pieces = {piece for value in values for piece in _pieces(value)}
        forms = {form for piece in self._pieces for form in _forms(piece)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self.longest = max(map(len, self._forms), default=0)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"<Mask [{len(self._pieces)} texts]>"

    def __call__(self, text: str) -> str:
        """The text with `***` for every value."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASKED)
        return text

    def without_beginning(self, text: str) -> str:
        """The text without an end that may be the beginning of a value, for text that goes on."""
        if not text:
            return text
        sizes = (size for form in self._forms for size in range(_LEAST, len(form)) if text.endswith(form[:size]))
        return text[: len(text) - max(sizes, default=0)]

    def is_in(self, parts: Sequence[bytes | memoryview]) -> bool:
        """Whether pickled data holds a value as it is. Pieces of more than 16 MiB are not searched."""
        wanted = [piece.encode("utf-8", "surrogatepass") for piece in self._pieces]
        small = (bytes(part) for part in parts if len(part) <= SEARCHED)
        return any(piece in data for data in small for piece in wanted)

    def within(self, value: Any) -> Any:
        """A copy of plain data (texts, bytes and containers of these) without the values; other objects as they are."""
        if type(value) is str:
            return self(value)
        if type(value) is bytes:
            return self(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(self.within(item) for item in value)
        if type(value) is dict:
            return {self.within(key): self.within(item) for key, item in value.items()}
        return value


def _pieces(value: str) -> Iterator[str]:
    for piece in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(piece) >= _LEAST:
            yield piece


def _forms(text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield repr(data)[2:-1]
    yield text.translate(_HTML)
    for safe in ("/", ""):
        yield quote(data, safe=safe)
        yield quote_plus(data, safe=safe)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        if len(whole) >= _LEAST_BASE64:
            yield whole.rstrip("=")
        # within something longer, as in "user:password", only the middle is always the same
        for before in range(3):
            encoded = encode(bytes(before) + data).decode()
            after = (before + len(data)) % 3
            middle = encoded[(0, 2, 3)[before] : len(encoded) - (0, 3, 2)[after]]
            if len(middle) >= _LEAST_BASE64:
                yield middle
