"""The frame around payloads: nothing is opened before its signature and its versions are right."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.errors import RuntimeSystemError
from flyte_jupyter.pack.codec import dumps, loads
from flyte_jupyter.pack.envelope import MAGIC, PayloadError, seal, unseal, versions

KEY = b"k" * 32
FIXED = struct.Struct(">8sI32s")


def sealed(parts: list[bytes | memoryview], key: bytes = KEY, **header: Any) -> bytes:
    return b"".join(seal(key, {"kind": "test", **header}, parts))


def forged(versions: dict[str, str], parts: list[bytes] | None = None) -> bytes:
    """Signed with the right key, by other versions."""
    head = json.dumps({"kind": "test", "versions": versions, "parts": []}).encode()
    return FIXED.pack(MAGIC, len(head), hmac.new(KEY, head, hashlib.sha256).digest()) + head


def open_it(data: bytes, key: bytes = KEY) -> Any:
    return unseal(key, memoryview(data), what="call", is_for={})


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@given(st.lists(st.binary(max_size=200), max_size=5), st.dictionaries(st.text(), st.text()))
def test_what_was_sealed_is_there(parts: list[bytes], said: dict[str, str]) -> None:
    envelope = open_it(b"".join(seal(KEY, {"kind": "test", "said": said}, parts)))
    assert parts == [bytes(part) for part in envelope.parts]
    assert ("test", said, versions()) == tuple(envelope.header[name] for name in ("kind", "said", "versions"))


@given(st.lists(st.integers(0, 300), max_size=6), st.text(max_size=100))
def test_every_part_lies_at_a_multiple_of_64(sizes: list[int], said: str) -> None:
    parts = [bytes([n]) * size for n, size in enumerate(sizes)]
    data = b"".join(seal(KEY, {"said": said}, parts))
    at = FIXED.size + FIXED.unpack(data[: FIXED.size])[1]
    for part in parts:
        at += -at % 64
        assert part == data[at : at + len(part)]
        at += len(part)
    assert len(data) == at


def test_parts_are_neither_copied_in_nor_out() -> None:
    large = bytearray(b"x" * 100_000)
    assert any(piece is large for piece in seal(KEY, {}, [b"pickle", large]))  # type: ignore[list-item]
    data = memoryview(sealed([b"pickle", large]))  # type: ignore[list-item]
    assert [data.obj, data.obj] == [part.obj for part in unseal(KEY, data, what="call", is_for={}).parts]


# --- what is not opened -----------------------------------------------------------------------------------------------


def test_every_byte_counts(tmp_path: Path) -> None:
    """Each byte of a payload is changed in turn; what unpickling it would do never happens, unless all is right."""
    trap = tmp_path / "sprung"
    data = bytearray(sealed([*dumps(Bomb(trap)).parts, b"a buffer"]))
    head_end = FIXED.size + FIXED.unpack(bytes(data[: FIXED.size]))[1]
    padding = set(range(head_end, head_end + -head_end % 64))
    pickled = len(dumps(Bomb(trap)).parts[0])
    second = head_end + -head_end % 64 + pickled
    padding |= set(range(second, second + -second % 64))
    opened = []
    for at in range(len(data)):
        data[at] ^= 0x01
        with contextlib.suppress(PayloadError):
            open_it(bytes(data))
            opened.append(at)
        data[at] ^= 0x01
    assert sorted(padding) == opened  # between the parts nothing is said and nothing is read
    assert not trap.exists()
    loads(open_it(bytes(data)).parts)
    assert trap.exists()


def test_every_length_counts() -> None:
    data = sealed([b"pickle", b"a buffer"])
    for length in range(len(data)):
        with pytest.raises(PayloadError) as caught:
            open_it(data[:length])
        assert caught.value.code in ("SignatureMismatch", "PayloadDamaged")
    assert [b"pickle", b"a buffer"] == [bytes(part) for part in open_it(data).parts]


def test_a_cut_payload_says_how_much_is_there() -> None:
    with pytest.raises(PayloadError, match="The call is cut off: 3 bytes"):
        open_it(b"abc")


def test_something_else_is_named() -> None:
    with pytest.raises(PayloadError, match="The call is not a payload of flyte_jupyter, or of a newer one"):
        open_it(pickle.dumps({"any": "pickle"}) + bytes(100))


def test_another_key(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    with pytest.raises(PayloadError, match="signed with another key") as caught:
        open_it(sealed(dumps(Bomb(trap)).parts, key=b"another"))
    assert ("SignatureMismatch", "system") == (caught.value.code, caught.value.kind)
    assert isinstance(caught.value, RuntimeSystemError)
    assert not trap.exists()


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PayloadError):
        open_it(data)
    with pytest.raises(PayloadError):
        open_it(FIXED.pack(MAGIC, len(data), bytes(32)) + data)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b'{"parts": 1}',
        b'{"parts": ["a"]}',
        b'{"parts": [-1]}',
        b'{"parts": [1e9]}',
        b"\xff" * 8,
    ],
)
def test_a_strange_header_is_refused(head: bytes) -> None:
    with pytest.raises(PayloadError, match="damaged"):
        open_it(FIXED.pack(MAGIC, len(head), bytes(32)) + head + bytes(200))


# --- versions ---------------------------------------------------------------------------------------------------------


def test_other_versions_are_told_apart() -> None:
    with pytest.raises(PayloadError) as caught:
        open_it(forged({"python": "3.1", "implementation": "PyPy", "cloudpickle": "1.2.3"}))
    ours = versions()
    assert "VersionMismatch" == caught.value.code
    assert (
        "The call cannot be opened here, because pickles do not travel between these versions:\n"
        f"  python: made with 3.1, opened with {ours['python']}\n"
        f"  implementation: made with PyPy, opened with {ours['implementation']}\n"
        f"  cloudpickle: made with 1.2.3, opened with {ours['cloudpickle']}\n"
        "Use the same versions on both sides."
    ) == str(caught.value)


def test_only_what_differs_is_told() -> None:
    with pytest.raises(PayloadError) as caught:
        open_it(forged({**versions(), "python": "2.7"}))
    assert ["  python: made with 2.7, "] == [
        line.partition("opened")[0] for line in str(caught.value).splitlines() if line.startswith(" ")
    ]


def test_a_minor_version_of_cloudpickle_may_differ() -> None:
    major = versions()["cloudpickle"].split(".")[0]
    assert [] == open_it(forged({**versions(), "cloudpickle": f"{major}.99.0"})).parts


def test_the_signature_comes_before_the_versions() -> None:
    data = bytearray(forged({"python": "2.7"}))
    data[-1] ^= 1
    with pytest.raises(PayloadError) as caught:
        open_it(bytes(data))
    assert "SignatureMismatch" == caught.value.code
