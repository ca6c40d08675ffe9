#!/usr/bin/env python3
"""Set up flyte_jupyter in this clone, run its example and its tests: `python setup_jupyter.py --help`.

Everything goes into `.venv` beside this file.  What was installed there is remembered by the content of
pyproject.toml and labextension/, so a second call does nothing twice; the package itself is installed editable, so a
change of its Python source needs nothing.  Downloads and wheels are kept by pip's own cache, what was built of
labextension/ by `labextension/build.py`, outside the clone.

Standard library alone.  Imports and annotations up to `refusal` have to work on an old Python too, which is then
told so: hence the quotes, and no `from __future__`.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path


def refusal(version: "tuple[int, int]", system: str) -> "str | None":
    """Why this Python or system cannot be used, and what to do; None when it can."""
    if version < (3, 10):
        return (
            f"flyte_jupyter needs Python 3.10 or newer; this is {version[0]}.{version[1]}. "
            "Call this file with a newer one: python3.12 setup_jupyter.py"
        )
    if system == "win32":
        return (
            "flyte_jupyter runs on Linux and macOS. On Windows use WSL: `wsl --install` in PowerShell, "
            "then clone and set up inside it (https://learn.microsoft.com/windows/wsl/install)."
        )
    return None


if __name__ == "__main__" and refusal(sys.version_info[:2], sys.platform):
    sys.exit(refusal(sys.version_info[:2], sys.platform))

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence  # noqa: E402 - too new for an old Python
from typing import Any, NamedTuple  # noqa: E402

from labextension import build  # noqa: E402

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "setup_jupyter.json"
EXAMPLE = Path("notebooks") / "01_first_task.ipynb"
LAST_LINES = 30


class Failed(Exception):
    """A step failed; the message says what to do about it."""


# --- steps -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(what, end=" ... ", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print(f"failed after {time.monotonic() - start:.1f} s", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


def quietly(command: Sequence[str]) -> None:
    """Run a command without showing what it prints, except for the last lines when it fails."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        last.extend(process.stdout)
    if process.returncode:
        text = "".join(last).rstrip() or "(it printed nothing)"
        raise Failed(f"{' '.join(command)}\nended with exit code {process.returncode}. The last it said:\n\n{text}")


def openly(command: Sequence[str]) -> int:
    """Run a command that talks to the user itself; its exit code."""
    with subprocess.Popen(command, cwd=HERE) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # it got the signal too; how to end is its business


# --- .venv -----------------------------------------------------------------------------------------------------------


def state_key(pyproject: bytes, python: str, where: str) -> str:
    """Identify what an installation came from: the same key needs no second installation."""
    parts = (pyproject, python.encode(), where.encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def extras_to_install(state: Mapping[str, Any], key: str, wanted: Iterable[str]) -> list[str]:
    """Which extras pip has to be asked for; none when everything wanted is there."""
    there = set(state.get("extras", ()))
    needed = set(wanted)
    return [] if state.get("key") == key and needed <= there else sorted(needed | there)


def read_state() -> "dict[str, Any] | None":
    """What is installed in .venv; None when this program did not make it."""
    try:
        state = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def write_state(state: Mapping[str, Any]) -> None:
    """Whole or not at all: a later call believes what it finds."""
    new = STATE.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(STATE)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one call at a time change .venv.  The lock is on the clone's folder, so that no file is left behind."""
    import fcntl  # not on Windows

    folder = os.open(HERE, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another setup_jupyter.py"):
                fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError:
            pass  # a network file system that locks no folders: then take care yourself
        yield
    finally:
        os.close(folder)


def missing_venv(found: Callable[[str], Any] = importlib.util.find_spec) -> "str | None":
    """What to install when this Python cannot make virtual environments (Debian ships that apart)."""
    if found("venv") and found("ensurepip"):
        return None
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"this Python ({sys.executable}) comes without venv or ensurepip. On Debian and Ubuntu: "
        f"apt-get install python{version}-venv; elsewhere use a Python that has them."
    )


def prepare(*extras: str) -> None:
    """Make .venv with the package (editable) and these extras in it, as far as it is not so already."""
    python = str(sys.implementation.cache_tag)
    key = state_key((HERE / "pyproject.toml").read_bytes() + build.key().encode(), python, str(HERE))
    with alone():
        state = read_state()
        if state is None and VENV.exists() and any(VENV.iterdir()):
            raise Failed(
                f"{VENV} was not made by this program, so it is left alone. Move it away, "
                "or install into it yourself: .venv/bin/python -m pip install -e '.[run,test,lab]'"
            )
        if state is None or state.get("python") != python or not PYTHON.exists():
            advice = missing_venv()
            if advice:
                raise Failed(advice)
            with step(f"making .venv with Python {platform.python_version()}"):
                shutil.rmtree(VENV, ignore_errors=True)
                VENV.mkdir()
                write_state({})  # from here on it is ours, also when this is interrupted
                quietly([sys.executable, "-m", "venv", str(VENV)])
                state = {"python": python}
                write_state(state)
        install = extras_to_install(state, key, extras)
        if install:
            what = ",".join(install)
            building = ", and building its JupyterLab extension" if build.requires() else ""
            with step(f"installing flyte_jupyter[{what}]{building}"):
                pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install"]
                quietly([*pip, "-e", f".[{what}]"])
            if "lab" in install:
                quietly([str(PYTHON), "-m", "flyte_jupyter", "kernel", "install", "--sys-prefix"])  # goes with .venv
            write_state({"python": python, "key": key, "extras": install})


def in_venv(module: str) -> bool:
    """Whether .venv has this module."""
    if not PYTHON.exists():
        return False
    program = f"import importlib.util as u; raise SystemExit(not u.find_spec({module!r}))"
    return subprocess.run([str(PYTHON), "-c", program], cwd=HERE, capture_output=True, check=False).returncode == 0


# --- doctor ----------------------------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """One line of `doctor`."""

    name: str
    good: bool
    found: str
    advice: str = ""


def look_at_machine(
    which: "Callable[[str], str | None]" = shutil.which,
    environ: Mapping[str, str] = os.environ,
    home: "Path | None" = None,
    free: "int | None" = None,
) -> list[Finding]:
    """Look at what lies around the package: disk, browser, cluster."""
    free = shutil.disk_usage(HERE).free if free is None else free
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser = next((path for path in map(which, names) if path), None)
    kubectl = which("kubectl")
    default = (home or Path.home()) / ".kube" / "config"
    configs = [Path(p) for p in environ.get("KUBECONFIG", str(default)).split(os.pathsep) if p]
    there = [str(path) for path in configs if path.is_file()]
    return [
        Finding(
            "disk", free > 2 * 2**30, f"{free / 2**30:.1f} GiB free", "an installation with JupyterLab takes 1 GiB"
        ),
        Finding("browser", bool(browser), browser or "no Chromium", "only the browser tests need it: install chromium"),
        Finding("kubectl", bool(kubectl), kubectl or "not on PATH", "only a cluster needs it; tasks run here without"),
        Finding("kubeconfig", bool(there), os.pathsep.join(there) or "none", "only a cluster needs it (KUBECONFIG)"),
    ]


def look_at_venv() -> list[Finding]:
    """Look at Python and at what this program installed."""
    state = read_state()
    found = f"{VENV}, with {', '.join(state.get('extras', ())) or 'nothing'} installed" if state else "not made yet"
    findings = [
        Finding("python", True, f"{platform.python_version()} ({sys.executable})"),
        Finding("platform", True, platform.platform()),
        Finding(
            "venv", missing_venv() is None and bool(state), found, missing_venv() or "python setup_jupyter.py develop"
        ),
    ]
    if PYTHON.exists():
        command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--version"]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (pip.stdout if pip.returncode == 0 else pip.stderr).strip().splitlines()[-1:]
        advice = "python setup_jupyter.py uninstall, then develop"
        findings.append(Finding("pip", pip.returncode == 0, said[0] if said else "says nothing", advice))
    return findings


def table(findings: Iterable[Finding]) -> str:
    """Findings as text, advice below what is not there."""
    lines = []
    for name, good, found, advice in findings:
        lines.append(f"  {'ok' if good else '--'}  {name:<11} {found}")
        if not good and advice:
            lines.append(f"{'':18}{advice}")
    return "\n".join(lines)


# --- words -----------------------------------------------------------------------------------------------------------


def run(_rest: Sequence[str]) -> int:
    """Execute the example notebook on the embedded runner and print what each task returned."""
    prepare("run", "image")
    print(f"executing {EXAMPLE}", flush=True)
    start = time.monotonic()
    code = openly([str(PYTHON), str(HERE / "notebooks" / "run.py"), str(HERE / EXAMPLE)])
    print(f"{EXAMPLE} {'failed' if code else 'executed'} in {time.monotonic() - start:.1f} s")
    return code


def test(rest: Sequence[str]) -> int:
    """Run the whole test suite, several files at a time; arguments go to pytest instead."""
    prepare("test")
    at_a_time = 1 + (os.cpu_count() or 1)  # most tests wait for a kernel or a Host
    return openly([str(PYTHON), "-m", "pytest", *(rest or ["-n", str(at_a_time), "--dist", "loadfile"])])


def lab(rest: Sequence[str]) -> int:
    """Open JupyterLab on the example notebooks; further arguments go to it."""
    prepare("run", "image", "lab")
    # in this process's place: whoever stops it stops JupyterLab
    os.execv(PYTHON, [str(PYTHON), "-m", "jupyterlab", *(rest or [str(EXAMPLE)])])  # noqa: S606 - no shell is wanted


def kernel(_rest: Sequence[str]) -> int:
    """Install the kernel flyte-python for your own JupyterLab, Notebook or VS Code."""
    prepare("run", "image")
    return openly([str(PYTHON), "-m", "flyte_jupyter", "kernel", "install", "--user"])


def develop(_rest: Sequence[str]) -> int:
    """Install everything that working on the package takes (editable)."""
    prepare("run", "image", "test", "lab")
    print(f"ready: . {VENV.relative_to(HERE)}/bin/activate")
    return 0


def doctor(_rest: Sequence[str]) -> int:
    """Show versions, store, Host, browser and cluster: what works and what to do."""
    print(table([*look_at_venv(), *look_at_machine()]), flush=True)
    return openly([str(PYTHON), "-m", "flyte_jupyter.doctor"]) if in_venv("flyte_jupyter.doctor") else 0


def uninstall(_rest: Sequence[str]) -> int:
    """Stop the Host and remove .venv; runs and their results stay in your data folder."""
    with alone():
        if read_state() is None:
            print(f"nothing to remove: there is no {VENV.name} that this program made")
            return 0
        if in_venv("flyte_jupyter.host"):
            with step("stopping the Host"):
                quietly([str(PYTHON), "-m", "flyte_jupyter.host", "--stop"])
        for folder in kernels_of(PYTHON):
            with step(f"removing the kernel {folder}"):
                shutil.rmtree(folder)
        with step("removing .venv"):
            shutil.rmtree(VENV)
    return 0


def kernels_of(python: Path, kernels: "Path | None" = None) -> list[Path]:
    """Find the kernels in the user's Jupyter folder that start this Python: without it they are of no use."""
    if kernels is None:
        default = Path.home() / ("Library/Jupyter" if sys.platform == "darwin" else ".local/share/jupyter")
        kernels = Path(os.environ.get("JUPYTER_DATA_DIR", default)) / "kernels"
    found = []
    for spec in sorted(kernels.glob("*/kernel.json")):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            if json.loads(spec.read_text())["argv"][0] == str(python):
                found.append(spec.parent)
    return found


WORDS = {word.__name__: word for word in (run, test, lab, kernel, develop, doctor, uninstall)}


def parser() -> argparse.ArgumentParser:
    """Make the command line; a word's help is its docstring."""
    top = argparse.ArgumentParser(
        prog="python setup_jupyter.py", description="Set up flyte_jupyter in this clone, in .venv.", allow_abbrev=False
    )
    words = top.add_subparsers(dest="word", metavar="WORD", required=True)
    for name, word in WORDS.items():
        about = str(word.__doc__)
        words.add_parser(name, help=about[0].lower() + about[1:].rstrip("."), description=about, allow_abbrev=False)
    return top


def main(argv: "Sequence[str] | None" = None) -> int:
    """Do what the command line says; the exit code."""
    top = parser()
    asked, rest = top.parse_known_args(argv)
    if rest and asked.word not in ("test", "lab"):
        top.error(f"`{asked.word}` takes no further arguments: {' '.join(rest)}")
    try:
        return WORDS[asked.word](rest)
    except Failed as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; calling it again goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
