"""Has an image: looks whether it is on the registry, else builds and pushes it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..config.image.files import Content
from ..config.image.index_url import PREFIX, hide, put_back, without
from ..credentials.mask import Mask
from ..errors import ImageBuildError
from . import index
from .builders import Builder, Call, Job, exit_code, is_pushing, printed, step
from .dockerfile import DOCKERFILE, OURS, WITH_INDEX, Plan, secret_id
from .reference import Reference

_FOLDER = "flyte-image-"
"""How folders of builds are called: this, and the process that they belong to."""
_TOLD = 30
"""Lines of a step that failed that are told with the failure."""
_WITH_URLS = (".txt", ".toml", ".lock", ".py", ".sh")
"""Files that may name indexes."""


@dataclass(frozen=True)
class Progress:
    """Who is told how far a build is.

    Attributes:
        step: what is done now, a few words; line: a line that the builder has printed.
    """

    step: Callable[[str], None]
    line: Callable[[str], None]


class Build:
    """One build; `stop` ends it from another thread.

    Args:
        plan: what it consists of; reference: its name; builder: who does it.
        environ: variables of this process, with credentials of indexes.
        secrets: values for the plan's secrets, by their variables; login: what `config.json` of docker is to say.
    """

    def __init__(
        self,
        plan: Plan,
        reference: Reference,
        builder: Builder,
        *,
        environ: Mapping[str, str],
        secrets: Mapping[str, str],
        login: str = "",
    ) -> None:
        self._plan = plan
        self._reference = reference
        self._builder = builder
        self._environ = environ
        self._secrets = secrets
        self._login = login
        self._credentials = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        self._mask = Mask([*secrets.values(), *(value.partition(":")[2] for value in self._credentials.values())])
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._index = index.Index()

    def __call__(self, tell: Progress) -> None:
        """Build and push it. Raises ImageBuildError with the step that failed, and its last lines."""
        _tidy()
        with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:  # 0700
            job = self._job(Path(folder))
            for call in self._builder.calls(job):
                self._run(call, tell)

    def stop(self) -> None:
        """End it; the call raises ImageBuildError."""
        self._is_stopped = True
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(process.pid, signal.SIGTERM)

    # --- what the builder gets

    def _job(self, folder: Path) -> Job:
        context = folder / "context"
        (context / OURS).mkdir(parents=True)
        (context / DOCKERFILE).write_text(self._plan.dockerfile)
        for content in self._plan.files:
            self._write(context / content.path, content)
        found = self._index = index.configured(self._environ)
        trusted = found.certificates.read_text("utf-8") if found.certificates is not None else ""
        secrets = {"index": found.script(), "certificates": trusted, **self._secrets}
        there = {secret_id(name): _private(folder / "secrets" / name, text) for name, text in secrets.items()}
        login = _private(folder / "login" / "config.json", self._login).parent if self._login else None
        return Job(self._reference, context, context / DOCKERFILE, self._plan.platform, there, login)

    def _write(self, to: Path, content: Content) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content.source, Path):
            shutil.copyfile(content.source, to)
        else:
            assert content.source is not None
            to.write_bytes(content.source)
        to.chmod(content.mode)
        if self._credentials and to.suffix in _WITH_URLS:
            text = to.read_bytes().decode("utf-8", "surrogateescape")
            to.write_bytes(put_back(text, self._credentials).encode("utf-8", "surrogateescape"))

    # --- its run

    def _run(self, call: Call, tell: Progress) -> None:
        doing = call.what
        tell.step(doing)
        last: deque[str] = deque(maxlen=_TOLD)
        code: int | None = None
        with subprocess.Popen(
            call.words,
            env={**without(self._environ), **call.env_vars},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            self._process = process
            if self._is_stopped:
                self.stop()
            assert process.stdout is not None
            for raw in process.stdout:
                line = hide(self._mask(raw.decode("utf-8", "replace").rstrip("\r\n")))
                begun, text = step(line), printed(line)
                code = exit_code(line) or code
                what = f"pushing to {self._reference.host}" if is_pushing(line) else self._what(begun or "")
                if what and what != doing:
                    doing = what
                    last.clear()
                    tell.step(doing)
                elif begun is None and text:
                    last.append(text)
                    tell.line(text)
        if process.returncode or self._is_stopped:
            raise self._failed(doing, code or process.returncode, last)

    def _what(self, text: str) -> str:
        """What an instruction does, for people; builders show it more or less as it is written."""
        for instruction in self._plan.instructions:
            if _plain(self._mask(instruction.text)) == _plain(text):
                return instruction.what
        if text.startswith("FROM "):  # a stage on another one
            return ""
        return text if len(text) < 100 else f"{text[:99]}…"

    def _failed(self, doing: str, code: int, last: deque[str]) -> ImageBuildError:
        if self._is_stopped:
            return ImageBuildError("The build of the image was stopped.")
        commands = [_plain(line.text) for line in self._plan.instructions if line.what == doing]
        lines = "".join(f"\n  {line}" for line in (*commands[:1], *last))
        if doing.startswith("installing") and self._index.left_out:
            lines += f"\nA build does not see packages that only this machine has: {', '.join(self._index.left_out)}"
        return ImageBuildError(f"{doing} failed (exit code {code}), in the image {self._reference}{lines}")


def _tidy() -> None:
    """Remove what processes have left that were killed: there are credentials in it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        process = folder.name[len(_FOLDER) :].partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _plain(text: str) -> str:
    """Without mounts, which some builders show and some do not, and without what is the same for every step."""
    return " ".join(re.sub(r"--mount=\S+|\"", "", text).replace(WITH_INDEX, "").split())


def _private(path: Path, text: str) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return path
