"""The program that makes a virtual environment with uv, and tells the Host how far it is.

It runs in a process group of its own, so that the Host can end it with all that it has started.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...config.image.index_url import PREFIX, apart, hide, put_back, without
from ...config.image.recipe import Step
from ...config.image.recipe import Venv as Recipe
from ...config.values.secret import Secret
from ...credentials.mask import Mask
from ...errors import RuntimeSystemError
from ...store import open_store
from ..process.inside import put_file
from ..process.orphans import die_with_parent
from ..program import PACKAGE
from ..wire import Channel
from .venv import Venv

_TOLD = 30
"""Lines of a command that failed that are told with the failure."""
_WITH_URLS = (".txt", ".toml", ".lock", ".py")
"""Files that may name indexes."""
_NOISE = ("Activate with:", "Using Python ")
"""What uv says to people who call it themselves."""
_STRANGE = (
    "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT",
    "UV_SYSTEM_PYTHON", "FORCE_COLOR", "CLICOLOR_FORCE",
)  # fmt: skip
"""Variables of the kernel that speak of its own environment, or of colours, which would break up what is hidden."""


class BuildError(Exception):
    """A step has failed; what is said is what people read."""


class Builder:
    """Makes one environment.

    Args:
        channel: to the Host; recipe: of the environment; venv: its place.
        store: where the files are; environ: of the kernel that asks; uv: the program.
        secrets: that steps are made with, by environment variable.
    """

    def __init__(
        self,
        channel: Channel,
        recipe: Recipe,
        venv: Venv,
        *,
        store: str,
        environ: Mapping[str, str],
        secrets: Mapping[str, str],
        uv: str,
        lock: int,
    ) -> None:
        self._channel = channel
        self._recipe = recipe
        self._venv = venv
        self._store = open_store(store)
        self._secrets = secrets
        self._mask = Mask(secrets.values())
        self._credentials = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        own = {name: value for name, value in without(environ).items() if name not in _STRANGE}
        self._environ = {
            **own,
            "UV_NO_PROGRESS": "1",
            "UV_NO_WRAP": "1",
            "NO_COLOR": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }
        self._uv = uv
        self._lock = lock

    def build(self) -> None:
        """Make it. Raises `BuildError`; then nothing is left of it."""
        self._venv.remove()
        try:
            self._write_files()
            python = ("--python", self._recipe.interpreter)
            venv = ("venv", "--seed", "--no-project", *python, str(self._venv.folder))
            made = Step(what="making a virtual environment", command=venv)
            needs = ("pip", "install", "--python", "{python}", *self._recipe.needs)
            for step in (made, Step(what="installing what tasks need", command=needs), *self._recipe.steps):
                self._take(step)
            self._link_package()
            self._venv.complete()
        except BaseException:
            self._venv.remove()
            raise
        finally:
            shutil.rmtree(self._venv.draft, ignore_errors=True)

    def _write_files(self) -> None:
        self._venv.draft.mkdir(mode=0o700, parents=True)
        for content in self._recipe.files:
            to = self._venv.draft / content.path
            try:
                put_file(self._store, content, to)
            except RuntimeSystemError as error:
                raise BuildError(str(error)) from None
            if self._credentials and to.suffix in _WITH_URLS:
                with contextlib.suppress(UnicodeDecodeError):
                    to.write_text(put_back(to.read_text("utf-8"), self._credentials), "utf-8")

    def _take(self, step: Step) -> None:
        self._channel.send({"op": "step", "what": step.what})
        asked = [self._venv.python if word == "{python}" else word for word in step.command]
        command, variables = self._with_credentials(asked)
        process = subprocess.Popen(
            [self._uv, *command],
            cwd=self._venv.draft / step.folder,
            env={
                **self._environ,
                **step.env_vars,
                **variables,
                **self._secrets_of(step),
                "VIRTUAL_ENV": str(self._venv.folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[self._lock],  # held for as long as anything of this runs
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
        )
        last: deque[str] = deque(maxlen=_TOLD)
        assert process.stdout is not None
        for line in process.stdout:
            text = self._without_credentials(line.decode("utf-8", "replace").rstrip("\r\n"))
            if text.startswith(_NOISE):
                continue
            last.append(text)
            self._channel.send({"op": "line", "text": text})
        code = process.wait()
        if code:
            lines = "".join(f"\n  {line}" for line in last)
            said = shlex.join(step.command).replace("--python '{python}' ", "")
            raise BuildError(f"{step.what} failed (exit code {code}):\n  uv {said}{lines}")

    def _with_credentials(self, command: list[str]) -> tuple[list[str], dict[str, str]]:
        """The command, and what is not to be seen in it: as variables, or in a file."""
        words, variables, packages = apart(command, self._credentials)
        if packages:
            file = self._venv.draft / "packages.txt"
            file.write_text(put_back("\n".join(packages) + "\n", self._credentials))
            words += ["--requirement", str(file)]
        return words, {name: put_back(value, self._credentials) for name, value in variables.items()}

    def _secrets_of(self, step: Step) -> dict[str, str]:
        """What the layer has named; other layers do not see it."""
        names = (Secret.from_plain(secret).build_variable for secret in step.secrets)
        return {name: self._secrets[name] for name in names}

    def _without_credentials(self, line: str) -> str:
        line = self._mask(line)
        for value in self._credentials.values():
            for part in (value, value.partition(":")[2]):
                line = line.replace(part, "***") if part else line
        return hide(line)

    def _link_package(self) -> None:
        """This copy of the package, for subprocesses of tasks too, and nothing of what lies beside it."""
        site = next(self._venv.folder.glob("lib/python*/site-packages"))
        link = site / PACKAGE.name
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        link.unlink(missing_ok=True)
        link.symlink_to(PACKAGE)
        self._check_needs(site)

    def _check_needs(self, site: Path) -> None:
        """The layers may have put other versions there; within a major version pickles travel."""
        for need in self._recipe.needs:
            name, _, version = need.partition("==")
            found = [path.stem.split("-")[1] for path in site.glob(f"{name}-*.dist-info")]
            if [there.split(".")[0] for there in found] != [version.split(".")[0]]:
                raise BuildError(
                    f"The image has {name} {' and '.join(found) or 'in no version'}, and tasks travel with {version}.\n"
                    f"Leave it out of the image, or ask for {need}."
                )


def main() -> int:
    """Build what the Host says over the socket whose descriptor is given."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    die_with_parent()
    request = channel.receive()
    if request is None:
        return 0
    venv = Venv(Path(request["images"]), request["key"])
    lock = venv.lock(alone=True, wait=False)
    if lock is None:
        channel.send({"op": "step", "what": "waiting for others who use or build it"})
        lock = venv.lock(alone=True)
    assert lock is not None
    try:
        if request["again"] or not venv.is_complete:
            _build(channel, request, venv, lock)
    except BuildError as error:
        venv.forget_lock()
        channel.send({"op": "failed", "message": str(error)})
        return 1
    channel.send({"op": "done"})
    return 0


def _build(channel: Channel, request: dict[str, Any], venv: Venv, lock: int) -> None:
    found = (request["uv"], shutil.which("uv", path=request["environ"].get("PATH")))
    uv = next((path for path in found if path and os.access(path, os.X_OK)), None)
    if uv is None:
        raise BuildError('uv is not installed here any more: pip install "flyte_jupyter[image]"')
    recipe = Recipe.from_json(request["venv"])
    given = {name: request[name] for name in ("store", "environ", "secrets")}
    Builder(channel, recipe, venv, **given, uv=uv, lock=lock).build()
