"""The programs that build images: what they are called with, and what they say on their way.  Starts nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ..config.refusal import did_you_mean, wrong_value
from ..errors import ConfigValueError
from .reference import Reference

NAMES = ("docker", "podman", "buildah")
"""In the order in which they are looked for."""


class Call(NamedTuple):
    """One command: its words, what it does, and the variables that it is given besides."""

    words: list[str]
    what: str
    env_vars: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """What is to be built.

    Attributes:
        reference: under which name; platform: for which architecture.
        context: the folder with the files; dockerfile: what is done with them.
        secrets: files by the names under which steps mount them.
        login: the folder of a file `config.json` with credentials of registries, None for the user's own.
    """

    reference: Reference
    context: Path
    dockerfile: Path
    platform: str
    secrets: Mapping[str, Path]
    login: Path | None = None


class Builder(Protocol):
    """A program that builds and pushes."""

    def calls(self, job: Job) -> Iterable[Call]:
        """The commands, one after the other."""
        ...


@dataclass(frozen=True)
class Docker:
    """`docker buildx`, with the builder of that name, "" for the current one: it may be in a cluster, too."""

    program: str
    name: str = ""

    def calls(self, job: Job) -> Iterable[Call]:
        words = [self.program, "buildx", "build", "--progress=plain", "--push", "--provenance=false"]
        words += ["--builder", self.name] if self.name else []
        words += [f"--platform={job.platform}", *_what(job)]
        env_vars = {"DOCKER_CONFIG": str(job.login)} if job.login is not None else {}
        yield Call(words, "building", env_vars)


@dataclass(frozen=True)
class Buildah:
    """buildah, or podman, which is the same inside; with isolation as `BUILDAH_ISOLATION` says."""

    program: str

    def calls(self, job: Job) -> Iterable[Call]:
        plain = ["--tls-verify=false"] if job.reference.is_near else []
        login = [f"--authfile={job.login / 'config.json'}"] if job.login is not None else []
        words = [
            self.program,
            "build",
            "--layers",
            "--force-rm",
            f"--platform={job.platform}",
            *plain,
            *login,
            *_what(job),
        ]
        yield Call(words, "building", {})
        yield Call([self.program, "push", *plain, *login, str(job.reference)], f"pushing to {job.reference.host}", {})


def _what(job: Job) -> list[str]:
    """What all builders are told in the same words."""
    secrets = [word for name, file in job.secrets.items() for word in ("--secret", f"id={name},src={file}")]
    return ["--tag", str(job.reference), "--file", str(job.dockerfile), *secrets, str(job.context)]


def find(wanted: str, path: str | None = None) -> Builder:
    """The builder that the settings name, or the first that is here.

    Args:
        wanted: "docker", "docker:NAME" for a builder of docker buildx, "podman", "buildah"; "" for any.
        path: where programs are looked for, by default the variable PATH.

    Raises:
        ConfigValueError: another word, or none is here; says what can be done.
    """
    name, _, which = wanted.partition(":")
    if name and (name not in NAMES or (which and name != "docker")):
        allowed = '"docker", "docker:NAME", "podman" or "buildah"'
        raise wrong_value("kubernetes: builder", wanted, allowed, did_you_mean(name, NAMES))
    for each in (name,) if name else NAMES:
        program = shutil.which(each, path=path)
        if program is not None and (each != "docker" or _has_buildx(program)):
            return Docker(program, which) if each == "docker" else Buildah(program)
    lacking = {"": "neither docker buildx nor podman nor buildah is", "docker": "docker with buildx is not"}
    raise ConfigValueError(
        f"image: {lacking.get(name, f'{name} is not')} installed here, and the image is not on the registry yet\n"
        "  install one of them; or name an image that is there: image= in the settings of the cluster, or of the task"
    )


def _has_buildx(docker: str) -> bool:
    """Docker comes with or without it; it may have a builder that needs no daemon here."""
    asked = [docker, "buildx", "version"]
    return not subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode


_STEP = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+/\d+: (?P<buildah>.*)|#\d+ \[(?:\S+\s+)?\d+/\d+\] (?P<docker>.*)")
_EXIT_CODE = re.compile(r"#\d+ ERROR: .* exit code: (\d+)")
_PUSHES = re.compile(r"#\d+ pushing layer")
_OF_STEP = re.compile(r"#\d+ \d+\.\d+ (?P<text>.*)")
_OWN = re.compile(
    r"--> |\[Warning\] one or more build args|subprocess exited with status|(?i:error: )?building at STEP|"
    r"Getting image source|Copying (?:blob|config)|Writing manifest|Storing sign|"  # buildah
    r"#\d+ |-+$|\s*> \[|\d+\.\d+ |\S*Dockerfile:\d+$|\s*\d+ \| |"
    r"ERROR: failed to solve: (?:executor failed running|process )"  # BuildKit
)
"""What builders say of themselves, or say again at the end."""


def step(line: str) -> str | None:
    """The instruction that a builder begins with that line, as far as it says; None when it says something else."""
    found = _STEP.fullmatch(line.strip())
    return (found["buildah"] or found["docker"] or "") if found else None


def exit_code(line: str) -> int | None:
    """The exit code of a step that failed, where a builder has another one itself."""
    found = _EXIT_CODE.match(line)
    return int(found[1]) if found else None


def is_pushing(line: str) -> bool:
    """Whether a builder tells with that line that it pushes what it has built."""
    return _PUSHES.match(line) is not None


def printed(line: str) -> str:
    """What a step has printed with that line, or a builder that could not begin; "" for its other words."""
    found = _OF_STEP.fullmatch(line)
    if found:
        return found["text"]
    return "" if _OWN.match(line) else line
