"""A way to a cluster that can be broken: connections are passed on, held, dropped or refused."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml


class Gate:
    """Passes connections on to one address, byte by byte: TLS goes through it.

    Attributes:
        port: where it listens, on this machine.
        accepted: connections so far.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.accepted = 0
        self._open: list[socket.socket] = []
        self._passes, self._refuses = threading.Event(), False
        self._passes.set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def drop(self) -> None:
        """Break all connections that are open."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def refuse(self) -> None:
        """Break them, and all that follow."""
        self._refuses = True
        self.drop()

    def hold(self) -> None:
        """Keep everything back that comes from the other side."""
        self._passes.clear()

    def open(self) -> None:
        """Let new connections through, and what was held."""
        self._refuses = False
        self._passes.set()

    def close(self) -> None:
        if self._server.fileno() < 0:
            return
        self._server.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._server.close()
        self.refuse()
        self._passes.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._server.accept()
                self.accepted += 1
                if self._refuses:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_back:
                    self._passes.wait()
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()


@contextlib.contextmanager
def gate(kubeconfig: str, folder: Path) -> Iterator[tuple[Gate, str]]:
    """A gate in front of a cluster, and a kubeconfig that goes through it."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    at = urlsplit(config["clusters"][0]["cluster"]["server"])
    assert at.hostname is not None
    way = Gate(at.hostname, at.port or 443)
    config["clusters"][0]["cluster"] |= {"server": f"https://127.0.0.1:{way.port}", "tls-server-name": at.hostname}
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    try:
        yield way, str(file)
    finally:
        way.close()
