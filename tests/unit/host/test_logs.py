"""What an attempt prints, through real pipes."""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import random
import sys
import termios
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from flyte_jupyter.credentials.mask import Mask
from flyte_jupyter.host.logs import AttemptLog, Tail, parse
from flyte_jupyter.pods import LogEvent, PodRequest

POD = PodRequest(run="r1", action="a0", task="env.work", title="work", store="file:///s", python="python")
Line = tuple[str, str]


class Attempt:
    """The writing ends of the two pipes, and what the log has made of it."""

    def __init__(self, path: Path) -> None:
        self.events: list[LogEvent] = []
        self.mask = Mask(())
        self.log = AttemptLog(POD, 2, str(path), self.events.append, lambda: self.mask)
        (out_r, self.stdout), (err_r, self.stderr) = os.pipe(), os.pipe()
        self._reading = {self.stdout: out_r, self.stderr: err_r}
        for end in (self.stdout, self.stderr):
            os.set_blocking(end, False)
        self.log.follow(out_r, err_r)

    async def write(self, end: int, data: bytes) -> None:
        """Write, and wait until it has been read."""
        while data:
            try:
                data = data[os.write(end, data) :]
            except BlockingIOError:
                await asyncio.sleep(0)
        while self._unread(end):  # noqa: ASYNC110 - the kernel has no event for an empty pipe
            await asyncio.sleep(0)

    def _unread(self, end: int) -> int:
        size = array.array("i", [0])
        fcntl.ioctl(self._reading[end], termios.FIONREAD, size)
        return size[0]

    async def out(self, data: bytes) -> None:
        await self.write(self.stdout, data)

    async def err(self, data: bytes) -> None:
        await self.write(self.stderr, data)

    @property
    def unfinished(self) -> Mapping[str, str]:
        return self.events[-1].unfinished if self.events else {}

    @property
    def lines(self) -> list[Line]:
        return [(stream, text) for event in self.events for _, stream, text in event.lines]


async def until(condition: Callable[[], bool]) -> None:
    """Until what is told later has been told."""
    async with asyncio.timeout(10) if sys.version_info >= (3, 11) else contextlib.nullcontext():
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def log_of(path: Path, story: Callable[[Attempt], Awaitable[None]]) -> Attempt:
    """What is made of a story, once the attempt has ended."""

    async def tell() -> Attempt:
        attempt = Attempt(path)
        try:
            await story(attempt)
        finally:
            for end in (attempt.stdout, attempt.stderr):
                os.close(end)
            attempt.log.close()
        return attempt

    return asyncio.run(tell())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "r1" / "log.2"


def stored(path: Path) -> list[Line]:
    return [(stream, text) for _, stream, text in parse(path.read_bytes())]


def test_lines_are_told_and_stored(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"first\nsecond\n")
        assert [("stdout", "first"), ("stdout", "second")] == attempt.lines == stored(path)
        await attempt.err(b"third\n")

    attempt = log_of(path, story)
    assert [("stdout", "first"), ("stdout", "second"), ("stderr", "third")] == attempt.lines == stored(path)
    assert [("r1", "a0", 2, 0), ("r1", "a0", 2, 2)] == [(e.run, e.action, e.attempt, e.start) for e in attempt.events]
    assert 0o600 == path.stat().st_mode & 0o777


def test_the_times_are_stored_as_told(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"first\n")
        await attempt.err(b"second\n")

    attempt = log_of(path, story)
    assert [line for event in attempt.events for line in event.lines] == parse(path.read_bytes())


def test_a_line_is_told_when_it_is_whole(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        for piece in (b"a", b"b", b"c"):
            await attempt.out(piece)
            assert [] == attempt.lines
        await attempt.out(b"d\ne")
        assert [("stdout", "abcd")] == attempt.lines

    assert [("stdout", "abcd"), ("stdout", "e")] == log_of(path, story).lines == stored(path)


def test_secrets_are_masked_before_anything_is_told_or_stored(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        attempt.mask = Mask(["hunter2", "two\nlines of it"])
        await attempt.out(b"a hunter2\nlines of it\n")
        for piece in (b"b hun", b"te", b"r2\n"):
            await attempt.out(piece)
        await attempt.err(b"c hunter2")  # and no line end

    expected = [("stdout", "a ***"), ("stdout", "***"), ("stdout", "b ***"), ("stderr", "c ***")]
    assert expected == log_of(path, story).lines == stored(path)
    assert b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize("before", range(65_520, 65_545, 3))
def test_no_line_is_so_long_that_a_secret_is_cut_in_two(path: Path, before: int) -> None:
    async def story(attempt: Attempt) -> None:
        attempt.mask = Mask(["correct-horse-battery"])
        await attempt.out(b"x" * before + b"correct-horse")
        await attempt.out(b"-battery" + b"y" * 70_000)

    text = "".join(line for _, line in log_of(path, story).lines)
    assert text == "x" * before + "***" + "y" * 70_000


def test_a_secret_that_becomes_known_is_masked_from_then_on(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"hunter2\n")
        attempt.mask = Mask(["hunter2"])
        await attempt.out(b"hunter2\n")

    assert ["hunter2", "***"] == [text for _, text in log_of(path, story).lines]


def test_partial_lines_of_both_streams_do_not_mix(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        for n in range(3):
            await attempt.out(b"out %d, " % n)
            await attempt.err(b"err %d, " % n)
        await attempt.err(b"end\n")
        await attempt.out(b"end\n")

    expected = [("stderr", "err 0, err 1, err 2, end"), ("stdout", "out 0, out 1, out 2, end")]
    assert expected == log_of(path, story).lines == stored(path)


def test_nothing_printed_leaves_no_file(path: Path) -> None:
    async def story(attempt: Attempt) -> None: ...

    assert [] == log_of(path, story).events
    assert not path.exists()


def test_what_is_in_the_pipes_at_the_end_is_not_lost(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        os.write(attempt.stdout, b"last words\nunfinished")
        os.write(attempt.stderr, b"error")

    expected = [("stdout", "last words"), ("stdout", "unfinished"), ("stderr", "error")]
    assert expected == log_of(path, story).lines == stored(path)


def test_empty_lines_and_tabs_and_carriage_returns(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"\n\ta\tb\t\n\n50%\r100%\r\n")

    expected = [("stdout", text) for text in ("", "\ta\tb\t", "", "100%")]
    assert expected == log_of(path, story).lines == stored(path)


# --- progress bars ----------------------------------------------------------------------------------------------------


def test_of_a_bar_the_last_state_is_stored_and_its_present_one_told(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        for n in range(5000):
            await attempt.err(b"\r%d/5000 [" % n + b"#" * (n // 500))
        await until(lambda: attempt.unfinished == {"stderr": "4999/5000 [#########"})
        await attempt.err(b"\r5000/5000 [##########]\nthen\n")

    attempt = log_of(path, story)
    assert [("stderr", "5000/5000 [##########]"), ("stderr", "then")] == attempt.lines == stored(path)
    assert {} == attempt.unfinished
    assert 200 > path.stat().st_size


def test_a_line_that_has_no_end_yet_is_told(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"training ")
        await until(lambda: attempt.unfinished == {"stdout": "training"})
        await attempt.out(b"... done\n")

    attempt = log_of(path, story)
    assert ([("stdout", "training ... done")], {}) == (attempt.lines, attempt.unfinished)


def test_half_a_secret_is_not_told(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        attempt.mask = Mask(["correct-horse-battery"])
        await attempt.out(b"the key: correct-horse")
        await until(lambda: attempt.unfinished == {"stdout": "the key: "})
        await attempt.out(b"-battery")
        await until(lambda: attempt.unfinished == {"stdout": "the key: ***"})

    assert [("stdout", "the key: ***")] == log_of(path, story).lines


def test_who_comes_to_watch_is_told_the_present_state(path: Path) -> None:
    tail = Tail()

    async def story(attempt: Attempt) -> None:
        await attempt.err(b"first\n")
        await attempt.err(b"\r10%")
        await until(lambda: attempt.unfinished == {"stderr": "10%"})
        for event in attempt.events:
            tail.add(event)

    log_of(path, story)
    assert [("first",), ()] == [tuple(text for _, _, text in event.lines) for event in tail]
    assert [{}, {"stderr": "10%"}] == [event.unfinished for event in tail]


# --- text -------------------------------------------------------------------------------------------------------------


def test_characters_can_come_in_pieces(path: Path) -> None:
    text = "äöü€🎉"

    async def story(attempt: Attempt) -> None:
        for byte in text.encode():
            await attempt.out(bytes([byte]))
        await attempt.out(b"\n")

    assert [("stdout", text)] == log_of(path, story).lines == stored(path)


def test_what_is_no_text_is_shown_as_bytes(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"a\xff\xfeb\xe2\x82c\x00\n")

    assert [("stdout", "a\\xff\\xfeb\\xe2\\x82c\x00")] == log_of(path, story).lines == stored(path)


def test_a_character_cut_off_at_the_end_is_shown_as_bytes(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await attempt.out(b"whole\nhalf \xe2\x82")
        await attempt.err(b"\xf0\x9f")

    expected = [("stdout", "whole"), ("stdout", "half \\xe2\\x82"), ("stderr", "\\xf0\\x9f")]
    assert expected == log_of(path, story).lines == stored(path)


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 100_000, 1_000_000])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_very_long_line_comes_in_pieces(path: Path, size: int, end: bytes) -> None:
    text = "".join(random.Random(size).choices("abcdefgh", k=size))

    async def story(attempt: Attempt) -> None:
        await attempt.out(text.encode() + end)
        await attempt.err(b"next\n")

    attempt = log_of(path, story)
    pieces = [piece for stream, piece in attempt.lines if stream == "stdout"]
    assert text == "".join(pieces)
    whole = 64 * 1024
    assert [whole] * (len(pieces) - 1) == [len(piece) for piece in pieces[:-1]]
    assert 0 < len(pieces[-1]) <= whole
    assert ("stderr", "next") in attempt.lines
    assert attempt.lines == stored(path)


def test_ten_thousand_lines(path: Path) -> None:
    lines = [f"line {n} " + "x" * (n % 50) for n in range(10_000)]

    async def story(attempt: Attempt) -> None:
        await attempt.out("".join(f"{line}\n" for line in lines).encode())

    attempt = log_of(path, story)
    assert [("stdout", line) for line in lines] == attempt.lines == stored(path)
    starts = [event.start for event in attempt.events]
    counts = [len(event.lines) for event in attempt.events]
    assert starts == [sum(counts[:n]) for n in range(len(counts))]
    assert len(attempt.events) < 100  # told in batches


def test_lines_of_both_streams_keep_their_order_within_each(path: Path) -> None:
    async def story(attempt: Attempt) -> None:
        await asyncio.gather(
            attempt.out(b"".join(b"out %d\n" % n for n in range(10_000))),
            attempt.err(b"".join(b"err %d\n" % n for n in range(10_000))),
        )

    attempt = log_of(path, story)
    for stream, word in (("stdout", "out"), ("stderr", "err")):
        assert [f"{word} {n}" for n in range(10_000)] == [text for s, text in attempt.lines if s == stream]
    assert attempt.lines == stored(path)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_parse_leaves_out_what_is_cut_off() -> None:
    data = b"1.5\tstdout\ta\tb\n2.5\tstderr\t\n3.5\tstd"
    assert [(1.5, "stdout", "a\tb"), (2.5, "stderr", "")] == parse(data)
    assert [] == parse(b"")
