"""The kernel `flyte-python` as Jupyter starts it, and kernels that run under an environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.notebook.kernel.spec import PROVISIONER
from tests.conftest import eventually, is_alive
from tests.kernel.front import ROOT, SLEEP, Cell, Front

ENVIRONMENT = """
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(
    "small", env_vars={"MODE": "train"}, resources=flyte.Resources(cpu=1, memory="400Mi"), queue="one"
)
"""


def install(*words: str) -> str:
    """What the command says that people use."""
    command = [sys.executable, "-m", "flyte_jupyter", "kernel", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Jupyter of our own: nothing is installed for the person who runs the tests."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    return tmp_path / "data" / "kernels"


@pytest.fixture
def provisioner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point of pyproject.toml, also where the package is not installed."""
    metadata = tmp_path / "path" / "flyte_jupyter_entry-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: flyte_jupyter_entry\nVersion: 0\n")
    project = (ROOT / "pyproject.toml").read_text()
    section = project.partition('[project.entry-points."jupyter_client.kernel_provisioners"]\n')[2].partition("\n\n")[0]
    assert section.startswith(PROVISIONER)
    group = "[jupyter_client.kernel_provisioners]\n" + section.replace('"', "") + "\n"
    (metadata / "entry_points.txt").write_text(group)
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    KernelProvisionerFactory.clear_instance()  # which has looked for entry points once


@pytest.fixture
def front(home: Home, jupyter: Path) -> Iterator[Front]:
    assert f"installed {jupyter / 'flyte-python'}" in install("install", "--user")
    with Front(home, kernel="flyte-python") as made:
        yield made


def test_the_first_cell_needs_no_line_but_the_task(front: Front) -> None:
    source = """
env = flyte.TaskEnvironment("e")
@env.task
def f(x: int) -> int:
    return x + 1
flyte.run(f, 1).outputs()[0]
"""
    cell = front.run(source)
    assert ("2", 1) == (cell.result, len(cell.displays))
    assert "3" == front.run("%%flyte_task -o y\ny = 3\n").result or "3" == front.run("y").result
    assert "flyte" not in front.run("%who").stdout.split()
    assert "Flyte" in KernelSpecManager().get_kernel_spec("flyte-python").display_name


def test_what_goes_on_is_listed_in_the_first_cell_after_a_restart(front: Front, tmp_path: Path) -> None:
    go = tmp_path / "go"
    front.run(f"go = {str(go)!r}")
    front.run("%%flyte_task waits --background\nimport time, os\nwhile not os.path.exists(go): time.sleep(0.02)")
    front.restart()
    cell = front.run("1 + 1")
    assert "A run of this notebook goes on since before" in cell.stdout
    assert "waits" in cell.card()[0]
    go.touch()
    front.more(cell, lambda c: "succeeded" in c.card()[-1])


def test_an_orderly_shutdown_leaves_what_runs_alone(front: Front, home: Home, tmp_path: Path) -> None:
    go = tmp_path / "go"
    front.run(f"go = {str(go)!r}")
    front.run("%%flyte_task --background\nimport time, os\nwhile not os.path.exists(go): time.sleep(0.02)")
    kernel = psutil.Process(int(front.run("import os; os.getpid()").result))
    front.shut_down()
    assert not is_alive(kernel)
    with Front(home, kernel="flyte-python") as other:
        go.touch()
        other.run("flyte.attach(0)")
        assert "'succeeded'" == other.run("flyte.runs()[0].phase.value").result


def test_ours_are_listed_and_uninstall_removes_ours_alone(jupyter: Path, tmp_path: Path) -> None:
    (tmp_path / "envs.py").write_text(ENVIRONMENT)
    assert "no kernel of flyte_jupyter\n" == install("list")
    install("install", "--user")
    install("install", "--user", "--environment", str(tmp_path / "envs.py:env"))
    listed = install("list")
    assert ["flyte-env", "flyte-python"] == [line.split()[0] for line in listed.splitlines()[1:]]
    assert str(tmp_path / "envs.py:env") in listed
    assert f"removed {jupyter / 'flyte-env'}" in install("uninstall", "--name", "flyte-env")
    install("install", "--user", "--name", "mine", "--title", "My own")
    assert "My own" == json.loads((jupyter / "mine" / "kernel.json").read_text())["display_name"]
    assert "there is no kernel 'python3' of flyte_jupyter" in install("uninstall", "--name", "python3")
    assert f"removed {jupyter / 'flyte-python'}" in install("uninstall")
    assert ["mine"] == [each.name for each in jupyter.iterdir()]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("nothing.py:env", "is not a Python file and a variable in it"),
        ("envs.py", "write FILE.py:NAME"),
        ("envs.py:enf", "did you mean env?"),
        ("envs.py:flyte", "flyte in .* is module, not a TaskEnvironment"),
    ],
)
def test_an_environment_that_is_not_there_is_refused(
    jupyter: Path, tmp_path: Path, written: str, expected: str
) -> None:
    import re

    (tmp_path / "envs.py").write_text(ENVIRONMENT)
    said = install("install", "--user", "--environment", str(tmp_path / written))
    assert re.search(expected, said)
    assert "Traceback" not in said
    assert not jupyter.exists()


# --- a kernel under an environment ------------------------------------------------------------------------------------


@pytest.fixture
def under(home: Home, jupyter: Path, provisioner: None, tmp_path: Path) -> Iterator[Front]:
    (tmp_path / "envs.py").write_text(ENVIRONMENT)
    assert "installed" in install("install", "--user", "--environment", str(tmp_path / "envs.py:env"))
    with Front(home, kernel="flyte-env") as made:
        yield made


def test_a_kernel_under_an_environment_has_its_variables_and_limits(under: Front, home: Home) -> None:
    assert "'train'" == under.run("import os; os.environ['MODE']").result
    assert "1" == under.run("len(os.sched_getaffinity(0))").result
    cell = under.run("flyte.runs()")
    assert "kernel: small" in cell.result


def is_refused(front: Front, request: str) -> bool:
    """Where no control group kills it, the kernel goes on after a MemoryError."""
    while front.client.shell_channel.msg_ready():
        reply = front.client.get_shell_msg(timeout=1)
        if reply["parent_header"].get("msg_id") == request:
            return bool(reply["content"].get("ename") == "MemoryError")
    return False


def test_its_notebook_runs_tasks_although_it_holds_the_cores_of_the_machine(under: Front) -> None:
    under.run(f"env = flyte.TaskEnvironment('e', resources=flyte.Resources(cpu={os.cpu_count()}))")
    under.run("@env.task\ndef f() -> int:\n    return 4")
    assert "4" == under.run("flyte.run(f).outputs()[0]").result


def test_it_is_interrupted_restarted_and_shut_down_like_any_other(under: Front, home: Home) -> None:
    asked: list[bool] = []

    def when_it_prints(cell: Cell) -> None:
        if cell.stdout and not asked:
            asked.append(True)
            under.interrupt()

    cell = under.run(f"import time\nprint('now', flush=True)\n{SLEEP}", each=when_it_prints)
    assert "KeyboardInterrupt: " == cell.error
    kernel = psutil.Process(int(under.run("import os; os.getpid()").result))
    under.restart()
    eventually(lambda: not is_alive(kernel))
    kernel = psutil.Process(int(under.run("import os; os.getpid()").result))
    under.shut_down()
    eventually(lambda: not is_alive(kernel))


def test_it_does_not_outlive_whoever_has_started_it(under: Front) -> None:
    kernel = psutil.Process(int(under.run("import os; os.getpid()").result))
    under._manager.provisioner.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    eventually(lambda: not is_alive(kernel))


def said_by_the_next(under: Front) -> str:
    """What the first cell says in the kernel that Jupyter starts in its place."""
    eventually(lambda: not under._manager.is_alive())
    under.restart()
    return under.run("1 + 1").stdout


def test_a_kernel_that_was_killed_is_no_success_and_the_next_one_says_so(under: Front) -> None:
    os.kill(int(under.run("import os; os.getpid()").result), signal.SIGKILL)
    said = said_by_the_next(under)
    assert "✗ kernel: small failed after" in said
    assert "RuntimeError: The kernel was killed by SIGKILL." in said
    assert "" == under.run("1 + 1").stdout


def test_a_kernel_that_needs_more_memory_than_its_limit_is_told_of(under: Front) -> None:
    """Without control groups it is refused the memory, and goes on."""
    request = under.client.execute("x = b'1' * 2**30")
    eventually(lambda: not under._manager.is_alive() or is_refused(under, request))
    if not under._manager.is_alive():
        assert "more memory than its limit of 400 MiB" in said_by_the_next(under)


def test_a_kernel_ends_with_its_host_instead_of_being_another_one_unnoticed(under: Front, home: Home) -> None:
    kernel = psutil.Process(int(under.run("import os; os.getpid()").result))
    status = call(home, {"op": "status"})
    assert status is not None
    os.kill(status["pid"], signal.SIGKILL)
    eventually(lambda: not is_alive(kernel))
    assert "The local Host has died, and the kernel with it." in said_by_the_next(under)


def test_a_kernel_in_an_image_has_its_packages_and_runs_tasks(
    home: Home, jupyter: Path, provisioner: None, tmp_path: Path
) -> None:
    (tmp_path / "envs.py").write_text(
        "import flyte_jupyter as flyte\n"
        "image = flyte.Image.from_debian_base().with_pip_packages('iniconfig==2.0.0').with_env_vars({'IN': 'image'})\n"
        "env = flyte.TaskEnvironment('imaged', image=image)\n"
    )
    assert "installed" in install("install", "--user", "--environment", str(tmp_path / "envs.py:env"))
    with Front(home, kernel="flyte-env", within=300) as made:
        source = "import importlib.metadata, os, sys; importlib.metadata.version('iniconfig'), os.environ['IN']"
        assert "('2.0.0', 'image')" == made.run(source).result
        assert str(home.images) in made.run("sys.prefix").result
        made.run("@flyte.TaskEnvironment('e').task\ndef f() -> str:\n    return sys.prefix")
        assert "True" == made.run("flyte.run(f).outputs()[0] == sys.prefix").result
