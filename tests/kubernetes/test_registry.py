"""A registry that asks who one is: the real one, started for the test."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.config.cluster import Cluster as Settings
from flyte_jupyter.container.build import Progress
from flyte_jupyter.container.images import Images
from flyte_jupyter.container.reference import Reference
from flyte_jupyter.container.registry import exists
from flyte_jupyter.errors import ImageBuildError
from tests.conftest import eventually, lacking
from tests.kubernetes import image as default

USER, PASSWORD = "me", "hunter2-4711"
HASHED = "$2b$04$52j7sFFse/musMMsjtd7c.tuVK/sJKmTQa9IAGU9zhRWzf2G4DhRO"
"""Of the password, as htpasswd has it."""


@pytest.fixture
def private(tmp_path: Path) -> Iterator[str]:
    """The address of a registry that knows one user."""
    program = shutil.which("registry") or shutil.which("docker-registry")
    if program is None:
        lacking("the program of docker's registry on PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "users").write_text(f"{USER}:{HASHED}\n")
    (tmp_path / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/data}}}}\n"
        f"http: {{addr: '{host}'}}\nauth: {{htpasswd: {{realm: test, path: {tmp_path}/users}}}}\n"
    )
    with subprocess.Popen([program, "serve", str(tmp_path / "config.yml")], stderr=subprocess.DEVNULL) as server:
        try:
            eventually(lambda: is_listening(host))
            yield host
        finally:
            server.kill()


def is_listening(host: str) -> bool:
    name, _, port = host.partition(":")
    with socket.socket() as client:
        return client.connect_ex((name, int(port))) == 0


def config(host: str, password: str = PASSWORD) -> str:
    """What docker would write down after a login."""
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": auth}}})


def test_who_may_know_what_is_there(private: str, tmp_path: Path) -> None:
    nothing = Reference(private, "team/nothing", "1")
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert exists(nothing, environ) is None
    assert exists(nothing, environ, config(private)) is False
    assert exists(nothing, environ, config(private, "wrong")) is None
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(config(private))
    assert exists(nothing, environ) is False


def test_an_image_is_pushed_with_its_secret(private: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    default.load_base()
    monkeypatch.chdir(tmp_path)
    image = flyte.Image.from_debian_base(name="team/tasks", registry=private, registry_secret="registry-login")
    images = Images(Settings(base_image=default.BASE_IMAGE))
    wanted = images.wanted(image)
    monkeypatch.setenv("REGISTRY_LOGIN", config(private))
    images.provide([wanted.uri])
    steps: list[str] = []
    images.have(wanted.uri, Progress(steps.append, lambda _: None))
    assert f"pushing to {private}" == steps[-1]
    assert wanted.reference is not None
    assert exists(wanted.reference, {}, config(private)) is True
    assert exists(wanted.reference, {}) is None


def test_a_push_that_is_refused_says_so(private: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    default.load_base()
    monkeypatch.chdir(tmp_path)
    images = Images(Settings(base_image=default.BASE_IMAGE, registry=private))
    wanted = images.wanted("auto")
    with pytest.raises(ImageBuildError, match=r"(?s)pushing to .* failed.*auth") as caught:
        images.have(wanted.uri, Progress(lambda _: None, lambda _: None))
    assert PASSWORD not in str(caught.value)
