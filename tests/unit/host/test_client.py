"""Reaching a Host that is just ending."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.host import client
from flyte_jupyter.host.wire import Channel


def test_a_host_that_ends_before_it_is_asked_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    monkeypatch.setattr(client, "connect", lambda _: Channel(ours))
    assert client.call(Home(tmp_path), {"op": "status"}) is None
