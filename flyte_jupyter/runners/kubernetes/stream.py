"""An answer that comes line by line, for as long as the other side goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .error import silent, unreachable


class Stream:
    """The lines of an answer, without their ends; read by one thread, closed by any.

    Iterating ends when the other side has said all, or after `close`. It raises `ApiError` when the connection breaks
    or is silent for too long.
    """

    def __init__(self, response: Any, *, what: str, where: str) -> None:
        self._response, self._what, self._where = response, what, where
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        import urllib3

        rest = b""
        try:
            for data in self._response.stream(decode_content=False):
                *lines, rest = (rest + data).split(b"\n")
                yield from lines
                if self._is_closed:
                    return
            if rest and not self._is_closed:
                yield rest
        except urllib3.exceptions.ReadTimeoutError:
            if not self._is_closed:
                raise silent(what=self._what, where=self._where) from None
        except (OSError, urllib3.exceptions.HTTPError) as error:
            if not self._is_closed:
                raise unreachable(error, what=self._what, where=self._where) from None
        finally:
            self._response.close()

    def close(self) -> None:
        """End it; a thread that waits for a line is woken."""
        self._is_closed = True
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # it has ended by itself meanwhile
            self._response.shutdown()
