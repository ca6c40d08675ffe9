"""What a container says, as whoever follows its log hears it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.host.spoken import MARK, Decoder, Ended, News, Other, Piece, Recalled, encode, pieces
from flyte_jupyter.pods import Failure, LogEvent, Phase, PodEvent
from flyte_jupyter.vitals import Sample, VitalsEvent

WHO = {"run": "r1", "action": "a0"}
TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]) | st.just(MARK), max_size=20)
NUMBER = st.integers(0, 100)
LINE = st.tuples(st.sampled_from([1.5, 2.0]), st.sampled_from(["stdout", "stderr"]), TEXT)
LOG = st.builds(
    lambda attempt, start, lines, unfinished: LogEvent(
        **WHO, attempt=attempt, start=start, lines=tuple(lines), unfinished=unfinished
    ),
    NUMBER,
    NUMBER,
    st.lists(LINE, max_size=8),
    st.dictionaries(st.just("stdout"), TEXT),
)
PHASE = st.builds(
    lambda phase, at, reason, failure: PodEvent(
        **WHO, parent=None, task="e.t", title="t", phase=phase, at=at, reason=reason, failure=failure
    ),
    st.sampled_from(Phase),
    st.floats(0, 1e9),
    TEXT,
    st.none() | st.builds(Failure, code=TEXT, kind=st.just("user"), message=st.text(max_size=20)),
)
VITALS = st.builds(
    lambda attempt, samples: VitalsEvent(**WHO, attempt=attempt, samples=tuple(samples)),
    NUMBER,
    st.lists(st.builds(Sample, st.floats(0, 9), st.floats(0, 9), st.floats(0, 9)), min_size=1, max_size=3),
)
PIECE = st.builds(Piece, TEXT, NUMBER, NUMBER, st.binary(max_size=50))
RECALLED = st.builds(
    lambda at, cache: Recalled(
        PodEvent(
            run="r1",
            action="a1",
            parent="a0",
            task="e.t",
            title="t",
            phase=Phase.SUCCEEDED,
            at=at,
            is_cached=True,
            cache=cache,
        )
    ),
    st.floats(0, 1e9),
    TEXT,
)
NEWS = st.one_of(LOG, PHASE, VITALS, PIECE, RECALLED, st.builds(Ended))


def said(news: Iterable[News]) -> bytes:
    return b"".join(map(encode, news))


def heard(*chunks: bytes) -> list[News]:
    decoder = Decoder("r1", "a0")
    return [*(news for chunk in chunks for news in decoder.feed(chunk)), *decoder.close()]


def log(*texts: str, start: int = 0) -> LogEvent:
    lines = tuple((1.0, "stdout", text) for text in texts)
    return LogEvent(**WHO, attempt=0, start=start, lines=lines)


@given(st.lists(NEWS, max_size=6), st.lists(st.integers(0, 2000), max_size=6))
def test_what_is_said_is_heard_however_it_is_cut(news: list[News], cuts: list[int]) -> None:
    data = said(news)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert news == heard(*(data[begin:end] for begin, end in pairwise(places)))


@given(st.lists(NEWS, max_size=6), st.integers(0, 30))
def test_who_begins_to_listen_in_the_middle_hears_nothing_that_was_not_said(news: list[News], missed: int) -> None:
    rest = b"\n".join(said(news).split(b"\n")[missed:])
    late = [each for each in heard(rest) if not isinstance(each, Other)]
    assert news[len(news) - len(late) :] == late


@given(st.lists(TEXT, min_size=1, max_size=5), st.lists(NEWS, max_size=3))
def test_a_task_cannot_say_anything_but_lines_of_log(printed: list[str], others: list[News]) -> None:
    lines = [line for text in (*printed, said(others).decode()) for line in text.split("\n")]
    assert [log(*lines)] == heard(encode(log(*lines)))


@given(st.lists(NEWS, max_size=4), st.lists(TEXT, max_size=3), st.lists(NEWS, max_size=4))
def test_what_others_print_between_news_is_told_apart(before: list[News], lines: list[str], after: list[News]) -> None:
    others = [Other(text) for text in lines]
    assert [*before, *others, *after] == heard(said([*before, *others, *after]))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_are_an_error(data: bytes, at: int) -> None:
    heard(data[:at], data[at:])
    heard(MARK.encode() + data[:at], MARK.encode() + data[at:])


@given(LOG.filter(lambda event: bool(event.lines)), st.data())
def test_of_a_log_that_breaks_off_what_has_come_is_heard(event: LogEvent, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(event.lines)))
    lines = encode(event).split(b"\n")[: 1 + count]
    (cut,) = heard(b"\n".join([*lines, b""]))
    assert isinstance(cut, LogEvent)
    assert (event.start, event.lines[:count]) == (cut.start, cut.lines)


def test_a_log_is_readable_as_it_is_printed() -> None:
    _, *lines, end = encode(log("epoch 1", "  epoch 2\t✓")).decode().split("\n")
    assert (["epoch 1", "  epoch 2\t✓"], "") == (lines, end)


def test_ten_thousand_lines_have_a_short_frame() -> None:
    frame = encode(log(*["x"] * 10_000)).partition(b"\n")[0]
    assert len(frame) < 200


def test_no_frame_of_a_blob_is_so_long_that_a_container_runtime_cuts_it() -> None:
    data = bytes(range(256)) * 200
    found = list(pieces("runs/r1/actions/a0/outcome", data))
    assert 16 * 1024 > max(len(encode(piece)) for piece in found)
    assert data == b"".join(piece.data for piece in found)
    assert [(i, len(found)) for i in range(len(found))] == [(piece.part, piece.of) for piece in found]


def test_an_empty_blob_is_one_piece() -> None:
    assert [Piece("k", 0, 1, b"")] == list(pieces("k", b""))


def test_a_container_speaks_for_its_own_action_alone() -> None:
    event = PodEvent(run="r1", action="a0", parent=None, task="e.t", title="t", phase=Phase.RUNNING, at=1.0)
    message = {"op": "event", **event.to_json(), "run": "r2", "action": "a7"}
    assert [event] == heard(f"{MARK}{json.dumps(message)}\n".encode())


@pytest.mark.parametrize("frame", ["", "{", "[]", '{"op":"later","x":1}', '{"op":"event"}', '{"op":"blob","key":"k"}'])
def test_a_frame_that_is_not_understood_is_passed_over(frame: str) -> None:
    assert [Other(MARK + frame), Ended()] == heard(f"{MARK}{frame}\n".encode() + encode(Ended()))
