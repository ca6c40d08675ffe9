"""Messages between processes of one user."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.errors import HostError
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call, connect
from flyte_jupyter.host.wire import Channel, Frames, encode, is_me, peer_uid

MESSAGES = [{"op": "hello"}, {}, {"text": "ä\n€", "list": [1, None, True], "deep": {"a": {"b": 1.5}}}]
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield Channel(ours), theirs


# --- frames -----------------------------------------------------------------------------------------------------------


def test_frames_can_be_split_at_every_byte() -> None:
    data = b"".join(map(encode, MESSAGES))
    for at in range(len(data) + 1):
        frames = Frames()
        assert MESSAGES == [*frames.feed(data[:at]), *frames.feed(data[at:])]


def test_frames_can_come_byte_by_byte() -> None:
    frames = Frames()
    data = b"".join(map(encode, MESSAGES))
    assert MESSAGES == [message for at in range(len(data)) for message in frames.feed(data[at : at + 1])]


@given(st.lists(st.dictionaries(st.text(), json_values), max_size=5), st.lists(st.integers(1, 50), min_size=1))
def test_frames_can_come_in_any_pieces(messages: list[dict[str, Any]], sizes: list[int]) -> None:
    frames, found, at, turn = Frames(), [], 0, 0
    data = b"".join(map(encode, messages))
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += frames.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert messages == found


def test_a_message_is_given_as_soon_as_it_is_whole() -> None:
    frames = Frames()
    first, second = encode({"n": 1}), encode({"n": 2})
    assert [{"n": 1}] == list(frames.feed(first + second[:-1]))
    assert [] == list(frames.feed(b""))
    assert [{"n": 2}] == list(frames.feed(second[-1:]))


def test_a_large_message() -> None:
    message = {"environ": {"X": "x" * 5_000_000}}
    assert [message] == list(Frames().feed(encode(message)))


@pytest.mark.parametrize("length", [64 * 1024 * 1024 + 1, 2**32 - 1])
def test_a_message_that_is_too_large_is_refused_at_its_length(length: int) -> None:
    with pytest.raises(ValueError, match=f"a message of {length} bytes"):
        list(Frames().feed(struct.pack(">I", length)))


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b"\xff\xfe", b"[1]", b"1", b'"text"', b"null"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own text
        list(Frames().feed(struct.pack(">I", len(body)) + body))


# --- channels ---------------------------------------------------------------------------------------------------------


def test_a_channel_sends_and_receives(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    for message in MESSAGES:
        channel.send(message)
    data = b"".join(map(encode, MESSAGES))
    assert data == other.recv(len(data), socket.MSG_WAITALL)
    other.sendall(data)
    assert MESSAGES == [channel.receive() for _ in MESSAGES]


def test_a_channel_waits_for_the_rest(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    message = {"text": "x" * 1_000_000}
    sender = threading.Thread(target=other.sendall, args=(encode(message),))
    sender.start()
    assert message == channel.receive()
    sender.join(10)


def test_the_end_of_a_channel(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(encode({"n": 1}) + encode({"n": 2})[:3])
    other.close()
    assert [{"n": 1}, None, None] == [channel.receive() for _ in range(3)]


# --- who is there -----------------------------------------------------------------------------------------------------


def test_the_other_end_is_this_user(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    assert [os.getuid()] * 2 == [peer_uid(channel.socket), peer_uid(other)]
    assert [True, True] == [is_me(channel.socket), is_me(other)]


@pytest.fixture
def stranger() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Runs a program as another user."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        # the other one may not read our files, so the program becomes him after its imports
        program = f"import os, socket, sys; os.setgid(65534); os.setuid(65534)\n{program}"
        process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@ROOT_ONLY
def test_another_user_is_not_listened_to(home: Home, stranger: Callable[..., subprocess.Popen[str]]) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        home.path.chmod(0o755)
        path = home.path / "listener"
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        listener.settimeout(10)
        stranger("s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)", str(path))
        accepted, _ = listener.accept()
        with accepted:
            assert (65534, False) == (peer_uid(accepted), is_me(accepted))


@ROOT_ONLY
def test_another_user_who_plays_the_host_is_found_out(
    home: Home, stranger: Callable[..., subprocess.Popen[str]]
) -> None:
    home.path.chmod(0o777)
    program = (
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
        " print('ready', flush=True); s.accept()[0].recv(1)"
    )
    impostor = stranger(program, str(home.socket))
    assert impostor.stdout is not None
    assert "ready\n" == impostor.stdout.readline()
    with pytest.raises(HostError, match="served by another user"):
        connect(home)
    impostor.kill()
    impostor.wait()
    home.socket.unlink()


def test_nobody_there(home: Home) -> None:
    assert None is connect(home)
    assert None is call(home, {"op": "status"})
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(home.socket))
    assert None is connect(home)


def test_a_host_of_another_protocol(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home.socket))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            with listener.accept()[0] as accepted:
                Channel(accepted).receive()
                accepted.sendall(encode({"op": "hello", "protocol": 0}))

        other = threading.Thread(target=answer)
        other.start()
        with pytest.raises(HostError, match="speaks another protocol"):
            connect(home)
        other.join(10)
    Path(home.socket).unlink()
