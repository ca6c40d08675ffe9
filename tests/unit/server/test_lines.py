"""Pages of logs: any lines of what grows, without reading all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.host.logs import written
from flyte_jupyter.server.answers.lines import Index, Lines, style_after
from flyte_jupyter.store import open_store
from flyte_jupyter.store.files import FileStore
from flyte_jupyter.store.memory import MemoryStore


def _lines(number: int) -> list[tuple[float, str, str]]:
    return [(float(i), "stdout", f"line {i}\tü") for i in range(number)]


@given(st.integers(0, 5000), st.lists(st.integers(1, 40_000), max_size=5), st.integers(0, 5200), st.integers(0, 2000))
def test_a_page_is_within_the_bytes_that_are_named(number: int, cuts: list[int], start: int, limit: int) -> None:
    data = written(_lines(number))
    index, rest = Index(), b""
    for at in [*cuts, len(data)]:
        part, data = data[:at], data[at:]
        before = index.size
        index.feed(rest + part)
        rest = (rest + part)[index.size - before :]
    assert number == index.lines
    whole = written(_lines(number))
    begin, end, first = index.around(start, limit)
    found = whole[begin:end].count(b"\n")
    assert first <= min(start, number)
    assert first + found >= min(start + limit, number)
    assert whole[:begin].count(b"\n") == first


@pytest.mark.parametrize("start", [0, 1, 999, 1000, 2500, 2998, 3000, 4000])
def test_pages_of_a_file_that_grows(start: int, tmp_path: Path) -> None:
    store, lines = FileStore(tmp_path.as_uri()), Lines()
    file = Path(store.path("log"))
    assert ([], 0, "") == lines.page(store, "log", start, 5, is_over=lambda: False)
    file.write_bytes(written(_lines(2000)) + b"12.0\tstdout\tnot wh")
    assert (_lines(2000)[start : start + 5], 2000, "") == lines.page(store, "log", start, 5, is_over=lambda: False)
    file.write_bytes(written(_lines(3000)))
    assert (_lines(3000)[start : start + 5], 3000, "") == lines.page(store, "log", start, 5, is_over=lambda: False)
    file.unlink()
    file.write_bytes(written(_lines(10)))
    assert (_lines(10)[start : start + 5], 10, "") == lines.page(store, "log", start, 5, is_over=lambda: False)


def test_what_is_far_away_is_read_once_when_no_more_comes() -> None:
    store, lines = open_store("memory://far"), Lines()
    assert isinstance(store, MemoryStore)
    store.put("log", [written(_lines(1500))])
    assert (_lines(1500)[1400:1410], 1500, "") == lines.page(store, "log", 1400, 10, is_over=lambda: False)
    store.put("log", [written(_lines(1600))])
    assert 1600 == lines.page(store, "log", 0, 1, is_over=lambda: True)[1]
    store.delete("log")
    assert (_lines(1600)[1590:], 1600, "") == lines.page(store, "log", 1590, 100, is_over=lambda: True)


@pytest.mark.parametrize("where", ["file", "far"])
def test_a_page_begins_in_the_style_that_lines_before_it_have_left_on(where: str, tmp_path: Path) -> None:
    store, lines = open_store("memory://styled") if where == "far" else FileStore(tmp_path.as_uri()), Lines()
    said = {10: "\x1b[1mbold \x1b[31mand red", 2500: "\x1b[22mred", 2700: "plain\x1b[0m"}
    store.put("log", [written([(0.0, "stdout", said.get(at, "more")) for at in range(3000)])])
    styles = {at: lines.page(store, "log", at, 1, is_over=lambda: True)[2] for at in (0, 10, 11, 2000, 2501, 2701)}
    both = "\x1b[1m\x1b[31m"
    assert {0: "", 10: "", 11: both, 2000: both, 2501: f"{both}\x1b[22m", 2701: ""} == styles


def test_what_is_left_on_stays_short() -> None:
    assert b"\x1b[39m" == style_after(b"", b"\x1b[1m\x1b[0m" + b"\x1b[39m" * 1000)
    assert b"\x1b[31m\x1b[39m" == style_after(b"", b"\x1b[31mred\x1b[39mnot" * 1000)
    assert 1000 > len(style_after(b"", b"".join(b"\x1b[38;5;%dm" % n for n in range(1000))))
