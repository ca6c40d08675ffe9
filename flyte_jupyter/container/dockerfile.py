"""From an Image to a Dockerfile and the files beside it: reads what its layers name, starts nothing.

Credentials of package indexes and values of secrets are mounted while a step runs, and are in no layer.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..config.image import layers
from ..config.image.files import Content, file_error
from ..config.image.image import Image
from ..config.image.index_url import apart
from ..config.image.local import python_of
from ..config.image.recipe_of import Making
from ..config.image.tag import reads_folder
from ..config.refusal import gathered, wrong_value
from ..config.values.secret import Secret
from ..errors import ConfigError
from . import package

OURS = ".flyte_jupyter"
"""The folder of the context with all but the user's own files for a Dockerfile."""
DOCKERFILE = f"{OURS}/Dockerfile"
"""Where the Dockerfile is in it: another one may be the user's."""
USER = 1000
"""Who tasks are: a number, since Kubernetes can tell only of numbers that they are not root."""
MOUNT = "/run/flyte"
"""Where steps find what is mounted for them."""
WITH_INDEX = f"{MOUNT}/tools/with-index"
"""What each step runs in."""
_IGNORE = ".dockerignore"
_TOOLS = "flyte-jupyter-tools"
_THEIRS = "flyte-jupyter-base"
"""The names of stages."""
_FROM = re.compile(r"^\s*FROM\s+(?P<rest>\S.*?)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE | re.MULTILINE)
_USER = re.compile(r"^\s*USER\s+(?P<name>\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_SCRIPT = f"""\
#!/bin/sh
# Runs a step of the build: with the index of packages and the secrets that are mounted for it alone.
set -eu
tools=$(dirname "$0")
if [ -s {MOUNT}/certificates ]; then
  export SSL_CERT_FILE={MOUNT}/certificates PIP_CERT={MOUNT}/certificates
  export REQUESTS_CA_BUNDLE={MOUNT}/certificates CURL_CA_BUNDLE={MOUNT}/certificates
fi
. "$tools/settings"
if [ -f {MOUNT}/index ]; then . {MOUNT}/index; fi
if [ -f ./variables.sh ]; then . ./variables.sh; fi
for file in {MOUNT}/secrets/*; do
  if [ -f "$file" ]; then export "$(basename "$file")=$(cat "$file")"; fi
done
export PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PROGRESS_BAR=off
export UV_BREAK_SYSTEM_PACKAGES=1 UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
export UV_NO_PROGRESS=1 UV_NO_WRAP=1 NO_COLOR=1 DEBIAN_FRONTEND=noninteractive
UV_PYTHON=$(python3 -c 'import sys; print(sys.executable)')
VIRTUAL_ENV=$(python3 -c 'import sys; print(sys.prefix)')
export UV_PYTHON VIRTUAL_ENV PATH="$PATH:$tools/packages/bin"
exec "$@"
"""


@dataclass(frozen=True)
class Instruction:
    """One line of a Dockerfile; `what` it does, for people, "" for what takes no time."""

    text: str
    what: str = ""


@dataclass(frozen=True)
class Plan:
    """What a builder is given.

    Attributes:
        instructions: the Dockerfile; files: the context, by their paths in it.
        secrets: those that steps are made with.
        platform: the architecture that it is built for.
    """

    instructions: tuple[Instruction, ...]
    files: tuple[Content, ...]
    secrets: tuple[Secret, ...]
    platform: str

    @property
    def dockerfile(self) -> str:
        return "".join(f"{instruction.text}\n" for instruction in self.instructions)

    @property
    def digest(self) -> str:
        """Of all that the image consists of: the same for the same."""
        said = [self.dockerfile, self.platform, [content.to_json() for content in self.files]]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def plan_of(image: Image, *, settings: Mapping[str, str], credentials: Mapping[str, str], platform: str) -> Plan:
    """What an image comes to in a container, from its files as they are now.

    Args:
        settings: of uv, that change which packages are chosen; credentials: of indexes, which are not to be seen.

    Raises:
        ImageFileError: files that are missing or cannot be used, all of them in one error.
        ConfigValueError: it has another Python, is not for that architecture, or has layers that cannot be built.
    """
    python_of(image)
    if platform not in image.platform:
        hint = f"platform={platform!r} in the image, or another platform in the settings of the cluster"
        raise wrong_value("image: platform", ", ".join(image.platform), f"{platform}, which the cluster has", hint)
    return _Planning(image, credentials).plan(settings, platform)


class _Planning:
    """One walk over an image, line by line."""

    def __init__(self, image: Image, credentials: Mapping[str, str]) -> None:
        self._image = image
        self._credentials = credentials
        self._making = Making(image)
        self._lines: list[Instruction] = []
        self._files: dict[str, Content] = {}
        self._secrets: dict[str, Secret] = {}
        self._stage = ""

    def plan(self, settings: Mapping[str, str], platform: str) -> Plan:
        base, user = self._start()
        self._tools(base, settings)
        self._say(f"FROM {base}")
        self._say("USER 0")
        self._needs()
        problems: list[ConfigError] = []
        for number, layer in enumerate(self._image.layers):
            with gathered(problems):
                self._layer(number, layer)
        if problems:
            raise file_error(problems)
        self._package()
        self._say(f"USER {user}")
        return Plan(tuple(self._lines), tuple(self._files.values()), tuple(self._secrets.values()), platform)

    # --- what every image has

    def _start(self) -> tuple[str, str]:
        """What the rest is put on, and who tasks are."""
        if self._image.dockerfile is None:
            return str(self._image.base_image), f"{USER}:{USER}"
        what = "Image.from_dockerfile"
        text = self._making.sources.text(self._image.dockerfile, what)
        stages = list(_FROM.finditer(text))
        if not stages:
            raise wrong_value(what, str(self._image.dockerfile), "a Dockerfile with a line FROM")
        last = stages[-1]
        name = last["name"] or _THEIRS
        if not last["name"]:
            text = f"{text[: last.end('rest')]} AS {_THEIRS}{text[last.end('rest') :]}"
        self._say(text.rstrip())
        sources, folder = self._making.sources, self._image.dockerfile.absolute().parent
        if reads_folder(text):  # .dockerignore itself stays here: a builder would heed it once more
            for path, file in sources.files(folder, sources.ignored((), folder, (".git", OURS, _IGNORE)), what):
                self._files[path] = sources.file(path, file, what)
        users = _USER.findall(text, last.start())
        return name, users[-1] if users else f"{USER}:{USER}"

    def _tools(self, base: str, settings: Mapping[str, str]) -> None:
        """A stage of which nothing stays: uv, and the program that each step runs in."""
        self._put(Content.of_text("tools/with-index", _SCRIPT), mode=0o755)
        lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
        self._put(Content.of_text("tools/settings", lines))
        here = "{}.{}".format(*sys.version_info)
        check = (
            "import sys; here = '%d.%d' % sys.version_info[:2]; "
            f"sys.exit(here != '{here}' and 'The image has Python ' + here + '; tasks travel as pickles, and need "
            f"Python {here}, which this kernel has.')"
        )
        tools = self._named("tools")
        made = f"{_TOOLS}-{tools.rpartition('-')[2]}"
        self._stage = f"{made}-mounted"
        self._say(f"FROM {base} AS {made}", f"fetching {base}" if self._image.dockerfile is None else "")
        self._say("USER 0")
        self._say(f"COPY {tools} {MOUNT}/tools")
        self._run(f"looking for Python {here}", f"python3 -c {shlex.quote(check)}", tools=False)
        target = f"--target {MOUNT}/tools/packages"
        self._run("fetching uv", f"{WITH_INDEX} python3 -m pip install --quiet {target} uv", tools=False)
        # buildah 1.28 mounts a stage that it has from its cache without what was done in it, but not one on top of that
        self._say(f"FROM {made} AS {self._stage}")

    def _needs(self) -> None:
        words = shlex.join(package.requirements())
        self._run("installing what tasks need", f"{WITH_INDEX} uv pip install {words}")

    def _package(self) -> None:
        """Last, since it changes most often where it is worked on."""
        name, data = package.wheel()
        path = f"wheel/{name}"
        self._put(Content(path, hashlib.sha256(data).hexdigest(), 0o644, data))
        check = "python3 -c 'import flyte_jupyter.host.pod, flyte_jupyter.pack.outcome'"
        entry = f"flyte:x:{USER}:{USER}:flyte:/tmp:/bin/sh"
        user = f"grep -q '^[^:]*:[^:]*:{USER}:' /etc/passwd || echo '{entry}' >> /etc/passwd"
        install = f"{WITH_INDEX} uv pip install --no-deps {MOUNT}/wheel/{name}"
        self._run("installing flyte_jupyter", f"{install} && {check} && {{ {user}; }}", folder="wheel")

    # --- layers

    def _layer(self, number: int, layer: layers.Layer) -> None:
        if isinstance(layer, layers.AptPackages):
            words = shlex.join(layer.packages)
            install = f"apt-get update && apt-get install -y --no-install-recommends {words}"
            command = f"{WITH_INDEX} sh -c {shlex.quote(f'{install} && rm -rf /var/lib/apt/lists/*')}"
            self._run(f"installing the system packages {', '.join(layer.packages)}", command, layer)
        elif isinstance(layer, layers.Commands):
            for index, command in enumerate(layer.commands):
                self._command(f"{number}-{index}", command, layer)
        elif isinstance(layer, layers.EnvVars):
            self._making.take(layer)
            for name, value in layer.env_vars:
                self._say(f"ENV {name}={_literal(value)}")
        elif isinstance(layer, layers.WorkDir):
            self._making.take(layer)
            self._say(f"WORKDIR {self._making.workdir}")
        elif isinstance(layer, (layers.PixiProject, layers.PixiScript)):
            hint = "write a Dockerfile for it, and use Image.from_dockerfile"
            raise wrong_value("image", layer.in_words(), "layers that can be put on the base image", hint)
        else:
            self._packages_or_files(number, layer)

    def _packages_or_files(self, number: int, layer: layers.Layer) -> None:
        making = self._making
        done, copied, read = len(making.steps), dict(making.files), set(making.build)
        making.take(layer)
        for path in making.build.keys() - read:
            self._put(making.build[path], f"steps/{path}")
        steps = making.steps[done:]
        if steps:
            folder = steps[0].folder.partition("/")[0] or str(done)
            commands = [self._uv(folder, step.folder or folder, step.command) for step in steps]
            self._run(steps[-1].what, " && ".join(commands), layer, folder=f"steps/{folder}")
        new = {path: content for path, content in making.files.items() if copied.get(path) != content}
        if new:
            self._copy(number, new)

    def _uv(self, folder: str, inner: str, command: tuple[str, ...]) -> str:
        """A command of uv; what nobody is to see of it is in files that are mounted."""
        asked = [word for pair in _pairs(command) for word in pair if pair != ("--python", "{python}")]
        words, variables, packages = apart(asked, self._credentials)
        if variables:
            lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
            self._put(Content.of_text(f"steps/{inner}/variables.sh", lines))
        if packages:
            self._put(Content.of_text(f"steps/{inner}/packages.txt", "\n".join([*packages, ""])))
            words += ["--requirement", "packages.txt"]
        run = f"{WITH_INDEX} uv {shlex.join(words)}"
        return f"cd {shlex.quote(f'{MOUNT}/steps/{inner}')} && {run}" if self._has(f"steps/{folder}") else run

    def _command(self, name: str, command: str, layer: layers.Layer) -> None:
        first = command.strip().splitlines()[0]
        folder = ""
        run = f"{WITH_INDEX} sh -c {shlex.quote(command)}"
        if "\n" in command:  # which would end the instruction
            folder = f"commands/{name}"
            self._put(Content.of_text(f"{folder}/command.sh", f"{command}\n"))
            run = f"{WITH_INDEX} sh {MOUNT}/{folder}/command.sh"
        self._run(f"running `{first}`", run, layer, folder=folder)

    def _copy(self, number: int, files: Mapping[str, Content]) -> None:
        """From a folder of the context that looks like the root of the image."""
        top = f"copied/{number}"
        for path, content in files.items():
            may_run = content.mode & 0o111
            self._put(content, f"{top}/{path}", mode=0o755 if may_run else 0o644)  # readable by whoever tasks are
        paths = list(files)
        common = posixpath.dirname(paths[0]) if len(paths) == 1 else posixpath.commonpath(map(posixpath.dirname, paths))
        said = json.dumps([f"{OURS}/{top}/{common}/", f"/{common}/"])
        self._say(f"COPY {said}", f"copying {len(files)} file{'s' if len(files) != 1 else ''}")

    # --- lines

    def _say(self, text: str, what: str = "") -> None:
        self._lines.append(Instruction(text, what))

    def _run(
        self, what: str, command: str, layer: layers.Layer | None = None, *, folder: str = "", tools: bool = True
    ) -> None:
        mounts = [f"type=secret,id={secret_id(name)},target={MOUNT}/{name}" for name in ("index", "certificates")]
        if tools:
            mounts.append(f"type=bind,from={self._stage},source={MOUNT}/tools,target={MOUNT}/tools")
        if folder and self._has(folder):
            mounts.append(f"type=bind,source={self._named(folder)},target={MOUNT}/{folder},rw")
        for secret in layer.secret_mounts if layer is not None else ():
            name = secret.build_variable
            self._secrets[name] = secret
            mounts.append(f"type=secret,id={secret_id(name)},target={MOUNT}/secrets/{name}")
        self._say(" ".join(["RUN", *(f"--mount={mount}" for mount in mounts), command]), what)

    def _has(self, folder: str) -> bool:
        return any(path.startswith(f"{OURS}/{folder}/") for path in self._files)

    def _named(self, folder: str) -> str:
        """A folder of the context that is complete, under a name for what is in it: buildah does not look into what is
        mounted when it decides whether it has a step already.
        """
        inside = [path for path in self._files if path.startswith(f"{OURS}/{folder}/")]
        contents = [self._files.pop(path) for path in inside]
        digest = hashlib.sha256(json.dumps([content.to_json() for content in contents]).encode()).hexdigest()[:16]
        there = f"{OURS}/{folder}-{digest}"
        for content in contents:
            path = there + content.path[len(f"{OURS}/{folder}") :]
            self._files[path] = Content(path, content.digest, content.mode, content.source)
        return there

    def _put(self, content: Content, path: str | None = None, mode: int = 0o644) -> None:
        there = f"{OURS}/{path or content.path}"
        self._files[there] = Content(there, content.digest, mode, content.source)


def secret_id(name: str) -> str:
    """The name by which a builder has a secret: not that of a variable, which buildah 1.28 would look at instead."""
    return f"flyte-{name}"


def _pairs(words: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The words, with `--python` and what follows it together."""
    given = iter(words)
    for word in given:
        yield (word, next(given, "")) if word == "--python" else (word,)


def _literal(value: str) -> str:
    """A value of ENV that means what it says."""
    if "\n" in value:
        raise wrong_value("Image.with_env_vars", value, "values of one line, in an image that is built")
    escaped = re.sub(r'(["\\$])', r"\\\1", value)
    return f'"{escaped}"'
