"""Credentials of registries, as docker and podman keep them, and what is answered to a registry that asks."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flyte_jupyter.container.reference import Reference
from flyte_jupyter.container.registry import Login, exists, login_of


@pytest.mark.parametrize(
    ("said", "host", "expected"),
    [
        ({"auths": {"ghcr.io": {"auth": "bWU6eA=="}}}, "ghcr.io", Login("me", "x")),
        ({"auths": {"ghcr.io/team": {"username": "me", "password": "y"}}}, "ghcr.io", Login("me", "y")),
        ({"auths": {"https://index.docker.io/v1/": {"auth": "bWU6eA=="}}}, "docker.io", Login("me", "x")),
        ({"auths": {"ghcr.io": {"identitytoken": "t"}}}, "ghcr.io", Login("", "", "t")),
        ({"auths": {"ghcr.io": {}}, "credsStore": "kept"}, "ghcr.io", Login("me", "from kept")),
        ({"credHelpers": {"ghcr.io": "kept"}}, "ghcr.io", Login("me", "from kept")),
        ({"credHelpers": {"ghcr.io": "gone"}}, "ghcr.io", None),
        ({"auths": {"other.io": {"auth": "bWU6eA=="}}}, "ghcr.io", None),
    ],
)
def test_what_docker_and_podman_keep(said: object, host: str, expected: Login | None, tmp_path: Path) -> None:
    program = tmp_path / "docker-credential-kept"
    program.write_text('#!/bin/sh\ncat >/dev/null\necho \'{"Username": "me", "Secret": "from kept"}\'\n')
    program.chmod(0o755)
    (tmp_path / "auth.json").write_text(json.dumps(said))
    path = f"{tmp_path}:{os.environ['PATH']}"
    environ = {"HOME": str(tmp_path), "PATH": path, "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    assert expected == login_of(Reference(host, "team/tasks", "1"), environ)


class Tokens(BaseHTTPRequestHandler):
    """A registry that sends one to a service for tokens, as those of clouds do; it is that service too."""

    def do_HEAD(self) -> None:
        host = self.headers["Host"]
        if self.headers["Authorization"] == "Bearer for-reading":
            self.send_response(200 if self.path == "/v2/team/tasks/manifests/1" else 404)
        else:
            self.send_response(401)
            asked = f'realm="http://{host}/token",service="test",scope="repository:team/tasks:pull"'
            self.send_header("WWW-Authenticate", f"Bearer {asked}")
        self.end_headers()

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] == "Basic bWU6eA=="
        assert "/token?service=test&scope=repository%3Ateam%2Ftasks%3Apull" == self.path
        self.send_response(200 if is_known else 401)
        self.end_headers()
        self.wfile.write(b'{"token": "for-reading"}' if is_known else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tokens() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Tokens) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_registry_that_wants_a_token(tokens: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    login = json.dumps({"auths": {tokens: {"auth": "bWU6eA=="}}})
    assert exists(Reference(tokens, "team/tasks", "1"), environ, login) is True
    assert exists(Reference(tokens, "team/tasks", "2"), environ, login) is False
    assert exists(Reference(tokens, "team/tasks", "1"), environ) is None
