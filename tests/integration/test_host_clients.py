"""Who may talk to the Host, and what it makes of nonsense."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.store import keys
from tests.conftest import eventually
from tests.integration.processes import ROOT

env = flyte.TaskEnvironment(name="clients")


@env.task
def double(x: int) -> int:
    return 2 * x


def host_pid(home: Home) -> int:
    status = call(home, {"op": "status"})
    assert status is not None
    return int(status["pid"])


@pytest.fixture
def host(home: Home) -> Home:
    """A state folder whose Host runs."""
    flyte.prepare()
    eventually(lambda: call(home, {"op": "status"}) is not None)
    return home


def test_private_state(host: Home) -> None:
    flyte.run(double, 1)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (host.path, host.socket, host.path / "key")}
    assert {host.path: 0o700, host.socket: 0o600, host.path / "key": 0o600} == modes


_INTRUDES = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
sock = socket.socket(socket.AF_UNIX)
try:
    sock.connect(sys.argv[1])
    sock.sendall(bytes([0, 0, 0, 15]) + b'{"op":"hello" }')
    print("answered" if sock.recv(100) else "hung up")
except (PermissionError, ConnectionResetError, BrokenPipeError) as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_refused(host: Home) -> None:
    def intrude() -> str:
        command = [sys.executable, "-c", _INTRUDES, str(host.socket)]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.strip()

    assert "PermissionError" == intrude()
    host.path.chmod(0o755)
    host.socket.chmod(0o777)
    assert intrude() in ("hung up", "ConnectionResetError", "BrokenPipeError")
    assert 2 == flyte.run(double, 1).outputs()[0]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x05hello",
        b"\x00\x00\x00\x02[]",
        b'\x00\x00\x00\x0e{"op": "fire"}',
        b'\x00\x00\x00\x10{"op": "launch"}',
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x01\x00short",
        b"",
    ],
)
def test_garbage_does_no_harm(host: Home, garbage: bytes) -> None:
    before = host_pid(host)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(host.socket))
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass
    assert before == host_pid(host)
    assert 2 == flyte.run(double, 1).outputs()[0]
    assert "Traceback" not in host.log.read_text()


class Trap:
    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.place),)


def test_tampered_inputs_are_not_unpickled(host: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @env.task
    def takes(thing: Any) -> None: ...

    here = session.current()
    launch = here.runner.launch

    def tamper(pod: Any) -> None:
        path = Path(host.path, "store", keys.inputs(pod.run, pod.action))
        path.write_bytes(path.read_bytes().replace(b"trap_a", b"trap_b"))
        launch(pod)

    monkeypatch.setattr(here.runner, "launch", tamper)
    with pytest.raises(errors.RuntimeSystemError, match="was signed with another key") as caught:
        flyte.run(takes, Trap(str(tmp_path / "trap_a")))
    assert "SignatureMismatch" == caught.value.code
    assert [] == list(tmp_path.iterdir())


def test_the_host_is_a_process_of_this_package(host: Home) -> None:
    command = [sys.executable, "-m", "flyte_jupyter.host", "--home", str(host.path)]
    said = subprocess.run([*command, "--status"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert str(host_pid(host)) in said
    subprocess.run([*command, "--stop"], check=True, capture_output=True, cwd=ROOT)
    eventually(lambda: call(host, {"op": "status"}) is None)
