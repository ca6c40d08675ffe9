"""Libraries that are installed anew while everything runs: in a virtual environment, as `%pip install` does it."""

from __future__ import annotations

import sysconfig
import venv
from pathlib import Path

import pytest

from tests.integration.processes import program

pytestmark = pytest.mark.usefixtures("home")

PROGRAM = """
import hashlib, shutil, sys
from pathlib import Path
import flyte_jupyter as flyte

site = Path({site!r})

def install(version, code, **also):
    shutil.rmtree(next(site.glob("weights-*"), "none"), ignore_errors=True)
    (site / "weights.py").unlink(missing_ok=True)
    (site / "weights.py").write_text(code)
    info = site / f"weights-{{version}}.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"weights.py,sha256={{hashlib.sha256(code.encode()).hexdigest()}},\\n")
    for name, text in also.items():
        (info / f"{{name}}.json").write_text(text)

@flyte.TaskEnvironment("warm").task
def is_loaded() -> bool:
    found = "weights" in sys.modules
    import weights
    return found

@flyte.TaskEnvironment("kept", cache="auto").task
def weight(x: int) -> int:
    import weights
    return weights.VALUE * x

def asked():
    run = flyte.run(weight, 2)
    print(run.result(), "stored" if run.is_cached else run.cache)

install("1.0", "VALUE = 1")
asked()
asked()
while not flyte.run(is_loaded).result():  # a process that has the library loaded serves the next tasks
    pass
install("2.0", "VALUE = 2")
asked()
while not flyte.run(is_loaded).result():
    pass
install("2.0", "VALUE = 3", direct_url="{{}}")  # as `pip install ./folder` does
asked()
install("2.0", "VALUE = 4", direct_url="{{}}")
asked()
asked()
"""


def test_a_library_that_is_installed_anew_is_what_runs_and_what_counts(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")})
    site = Path(paths["purelib"])
    (site / "ours.pth").write_text(sysconfig.get_paths()["purelib"])  # what this package needs
    with program(tmp_path, PROGRAM.format(site=str(site)), python=tmp_path / "venv/bin/python") as process:
        out, err = process.communicate(timeout=120)
    assert "" == err
    said = [line.partition(" (")[0] for line in out.splitlines()]
    assert [
        "2 nothing is stored yet",
        "2 stored",
        "4 library `weights` 1.0 → 2.0",
        "6 library `weights` 2.0 → 2.0",
        "8 library `weights` 2.0",
        "8 stored",
    ] == said
