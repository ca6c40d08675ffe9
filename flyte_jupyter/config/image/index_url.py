"""Credentials in the URLs of package indexes: `https://user:password@host/simple`.

They are taken out of whatever is kept or shown, and put back where packages are installed.  In between they travel as
the environment variables of a kernel do: in the Host's memory, never in the store, and never to a task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

PREFIX = "_FLYTE_JUPYTER_INDEX_"
"""Of the variables with the credentials, one for each URL."""
_HIDDEN = "***"
_URL = re.compile(r"(?P<scheme>\b(?:[a-z]+\+)?https?://)(?P<user>[^/\s@'\"]+)@(?P<rest>[^\s'\"<>,;\\]*)")
_REFERENCE = re.compile(r"(?:[\w.-]*:)?\$\{\w+\}|\*\*\*")
"""Not a secret itself: the installer looks the variable up."""
_OPTIONS = {
    "--default-index": "UV_DEFAULT_INDEX",
    "--index": "UV_INDEX",
    "--index-url": "UV_INDEX_URL",
    "-i": "UV_INDEX_URL",
    "--extra-index-url": "UV_EXTRA_INDEX_URL",
    "--find-links": "UV_FIND_LINKS",
    "-f": "UV_FIND_LINKS",
}
"""Options of uv as variables: command lines are for everybody to see, and these URLs may have credentials."""
known: dict[str, str] = {}
"""The variables of all credentials that this process has taken out of URLs."""


def hide(text: str) -> str:
    """`text` with `***` for the credentials in its URLs."""
    return _URL.sub(lambda url: url[0] if _REFERENCE.fullmatch(url["user"]) else _hidden(url), text)


def take_out(text: str) -> str:
    """The same; the credentials are now `known`."""

    def take(url: re.Match[str]) -> str:
        if not _REFERENCE.fullmatch(url["user"]):
            known[_variable(url)] = url["user"]
            return _hidden(url)
        return url[0]

    return _URL.sub(take, text)


def put_back(text: str, variables: Mapping[str, str]) -> str:
    """`text` of `take_out` as it was, as far as the variables have what is missing."""

    def put(url: re.Match[str]) -> str:
        if url["user"] == _HIDDEN and _variable(url) in variables:
            return f"{url['scheme']}{variables[_variable(url)]}@{url['rest']}"
        return url[0]

    return _URL.sub(put, text)


def apart(command: Iterable[str], credentials: Mapping[str, str]) -> tuple[list[str], dict[str, str], list[str]]:
    """A command of uv without the words that have credentials, and these: as variables, and packages as lines of a
    requirements file; both without credentials too, as `take_out` leaves them.

    Args:
        credentials: the variables of what was taken out.
    """
    words: list[str] = []
    urls: dict[str, list[str]] = {}
    packages: list[str] = []
    given = iter(command)
    for word in given:
        option, is_joined, url = word.partition("=")
        if option in _OPTIONS:
            urls.setdefault(option, []).append(url if is_joined else next(given, ""))
        elif put_back(word, credentials) != word:
            packages.append(word)
        else:
            words.append(word)
    variables: dict[str, str] = {}
    for option, hidden in urls.items():
        if any(put_back(url, credentials) != url for url in hidden):
            variables[_OPTIONS[option]] = " ".join(hidden)
        else:
            words += [word for url in hidden for word in (option, url)]
    return words, variables, packages


def without(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables that a task may see."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}


def _hidden(url: re.Match[str]) -> str:
    return f"{url['scheme']}{_HIDDEN}@{url['rest']}"


def _variable(url: re.Match[str]) -> str:
    return PREFIX + hashlib.sha256(f"{url['scheme']}{url['rest']}".encode()).hexdigest()[:16].upper()
