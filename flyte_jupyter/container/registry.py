"""Asks a registry whether it has an image (OCI distribution), with the credentials that docker or podman keep."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigValueError
from .reference import Reference

_KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_WAITS = 10.0
"""Seconds for each answer."""
_REAL_HOSTS = {"docker.io": "registry-1.docker.io"}
_HUB = "https://index.docker.io/v1/"
"""How docker files the credentials of its own registry."""
_WORD = re.compile(r'(\w+)="([^"]*)"')


class Login(NamedTuple):
    """A user and a password, or instead of a user's a token of the registry."""

    user: str
    password: str
    token: str = ""


def exists(reference: Reference, environ: Mapping[str, str], login: str = "") -> bool | None:
    """Whether it is there; None when the registry does not tell us.

    Args:
        environ: says where credentials are; login: a `config.json` that comes before them.

    Raises:
        ConfigValueError: there is no answer.
    """
    host = _REAL_HOSTS.get(reference.host, reference.host)
    url = f"{'http' if reference.is_near else 'https'}://{host}/v2/{reference.path}/manifests/{reference.tag}"
    try:
        status, asks = _ask(url, "")
        if status == 401:
            status, _ = _ask(url, _authorization(asks, login_of(reference, environ, login)))
    except (OSError, ValueError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ConfigValueError(
            f"image: the registry {reference.host} does not answer: {why}\n"
            f"  it was asked for {reference}; the settings of the cluster name it: registry="
        ) from None
    return {200: True, 404: False}.get(status)


def _ask(url: str, authorization: str) -> tuple[int, str]:
    """The status of a manifest, and what is asked for where one has to log in."""
    headers = {"Accept": ", ".join(_KINDS), **({"Authorization": authorization} if authorization else {})}
    request = urllib.request.Request(url, headers=headers, method="HEAD")  # noqa: S310 - the scheme is ours
    try:
        with urllib.request.urlopen(request, timeout=_WAITS) as answer:  # noqa: S310 - see above
            return int(answer.status), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("WWW-Authenticate") or ""


def _authorization(asks: str, login: Login | None) -> str:
    """What to answer to a registry's challenge; tokens are for reading this one image."""
    kind, _, rest = asks.partition(" ")
    basic = ""
    if login is not None and login.user:
        basic = "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
    if kind.lower() != "bearer":
        return basic
    said = dict(_WORD.findall(rest))
    realm = said.pop("realm", "")
    if not realm.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return ""  # credentials do not go there
    asked = {name: value for name, value in said.items() if name in ("service", "scope")}
    data = None
    if login is not None and login.token:
        form = {"grant_type": "refresh_token", "refresh_token": login.token, "client_id": "flyte_jupyter"}
        data, basic = urllib.parse.urlencode({**asked, **form}).encode(), ""
    url = realm if data else f"{realm}?{urllib.parse.urlencode(asked)}"
    request = urllib.request.Request(url, data=data, headers={"Authorization": basic} if basic else {})  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=_WAITS) as answer:  # noqa: S310 - see above
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        return basic
    return f"Bearer {told.get('token') or told.get('access_token', '')}"


def login_of(reference: Reference, environ: Mapping[str, str], login: str = "") -> Login | None:
    """What is known for a registry, None for nothing: given, or in the files of docker and podman."""
    known = [json.loads(login)] if login else []
    for path in _files(environ):
        with contextlib.suppress(OSError, ValueError):  # no such file, or not one that we understand
            known.append(json.loads(path.read_text("utf-8")))
    for said in known:
        found = _login_in(said, reference, environ)
        if found is not None:
            return found
    return None


def _files(environ: Mapping[str, str]) -> list[Path]:
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    running = environ.get("XDG_RUNTIME_DIR")
    return [
        *([Path(environ["REGISTRY_AUTH_FILE"])] if environ.get("REGISTRY_AUTH_FILE") else ()),
        Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json",
        *([Path(running) / "containers" / "auth.json"] if running else ()),
        home / ".config" / "containers" / "auth.json",
    ]


def _login_in(said: Mapping[str, Any], reference: Reference, environ: Mapping[str, str]) -> Login | None:
    """In one file: of the image's path, or the registry's; the nearest first."""
    parts = f"{reference.host}/{reference.path}".split("/")
    names = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    names += [f"https://{reference.host}", *([_HUB] if reference.host == "docker.io" else ())]
    for name in names:
        program = said.get("credHelpers", {}).get(name)
        given = said.get("auths", {}).get(name)
        if program is None and given is not None and not given and said.get("credsStore"):
            program = said["credsStore"]
        if program is not None:
            return _from_program(program, name, environ)
        if given:
            user, _, password = base64.b64decode(given.get("auth", "")).decode().partition(":")
            token = given.get("identitytoken", "")
            return Login(given.get("username", user), given.get("password", password), token)
    return None


def _from_program(program: str, name: str, environ: Mapping[str, str]) -> Login | None:
    command = [f"docker-credential-{program}", "get"]
    with contextlib.suppress(OSError, ValueError, LookupError, subprocess.SubprocessError):  # not here, or has none
        done = subprocess.run(
            command, input=name, env=dict(environ), capture_output=True, text=True, timeout=_WAITS, check=True
        )
        told = json.loads(done.stdout)
        if told.get("Username") == "<token>":
            return Login("", "", told["Secret"])
        return Login(told["Username"], told["Secret"])
    return None
