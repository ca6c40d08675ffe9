"""Building images: once for all who wait, gone when it fails or is not wanted, bounded on disk."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.host.image import venv as venvs
from tests.conftest import eventually
from tests.integration.images import OLD, built, image, left, said, tapped_uv
from tests.integration.processes import program

env = flyte.TaskEnvironment(name="building", image=image(OLD))


@env.task
def pid(x: int) -> int:
    return os.getpid()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where each call of uv is written down, a line each."""
    return tap_uv(tmp_path, monkeypatch)


def tap_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str = "") -> Path:
    """Have builds call uv through a script that notes the call first, and does `before`."""
    uv = tapped_uv(folder, before)
    monkeypatch.setattr("flyte_jupyter.engine.images.find_uv", lambda: str(uv))
    return folder / "calls"


def venvs_made(log: Path) -> int:
    return sum(line.startswith("venv ") for line in log.read_text().splitlines())


def builders(home: Home) -> list[psutil.Process]:
    """The processes that build, with all that they have started."""
    status = call(home, {"op": "status"})
    children = psutil.Process(status["pid"]).children(recursive=True) if status else []
    found = []
    for child in children:
        try:
            if "host.image.build" in " ".join(child.cmdline()) or "uv" in child.name():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


# --- once


def test_many_callers_build_it_once(log: Path, home: Home) -> None:
    runs = [flyte.submit(pid, x) for x in range(6)]
    items = list(flyte.map(pid, range(6)))
    assert 12 == len({*items, *(run.result() for run in runs)})
    assert (1, 1) == (venvs_made(log), len(built(home)))


_OTHER_KERNEL = """
import sys
import flyte_jupyter as flyte
from flyte_jupyter.engine import images
images.find_uv = lambda: {uv!r}
env = flyte.TaskEnvironment(name="building", image=flyte.Image.from_debian_base().with_pip_packages({package!r}))

@env.task
def prefix() -> str:
    return sys.prefix

print(flyte.run(prefix).outputs()[0])
"""


def test_several_kernels_build_it_once(log: Path, home: Home, tmp_path: Path) -> None:
    source = _OTHER_KERNEL.format(uv=str(tmp_path / "uv"), package=OLD)
    flyte.prepare()
    with program(tmp_path, source, "one.py") as one, program(tmp_path, source, "two.py") as two:
        told = [process.communicate(timeout=60) for process in (one, two)]
    prefixes = {out.split()[-1] if out else error for out, error in told}
    assert {str(home.images / key) for key in built(home)} == prefixes
    assert 1 == venvs_made(log)


def test_it_is_not_built_again_by_the_next_host(log: Path, home: Home) -> None:
    flyte.run(pid, 1)
    call(home, {"op": "shutdown"})
    eventually(lambda: call(home, {"op": "status"}) is None)
    assert [] == said(flyte.run(pid, 2))
    assert 1 == venvs_made(log)


def test_the_second_host_waits_for_the_first_one_to_build(log: Path, home: Home) -> None:
    """Whoever builds holds a lock; a Host that finds it taken waits and then has nothing to do."""
    run = flyte.run(pid, 1)
    key = built(home)[0]
    venv = venvs.Venv(home.images, key)
    call(home, {"op": "shutdown"})
    eventually(lambda: call(home, {"op": "status"}) is None)
    lock = venv.lock(alone=True)
    assert lock is not None
    run = flyte.submit(pid, 2)
    reason = "image: waiting for others who use or build it"
    eventually(lambda: reason == run.view()["actions"][0]["reason"])
    os.close(lock)
    run.result()
    assert 1 == venvs_made(log)


# --- failing


def test_a_failed_build_leaves_nothing_and_says_why(home: Home) -> None:
    missing = "there-is-no-such-package-in-the-whole-world"

    def one() -> int:
        return 1

    task = flyte.TaskEnvironment(name="failing", image=image("six", missing)).task(one)
    run = flyte.submit(task)
    with pytest.raises(errors.ImageBuildError) as caught:
        run.result()
    text = str(caught.value)
    assert f"installing six, {missing} failed (exit code 1):\n  uv pip install six {missing}\n" in text
    assert f"{missing} was not found" in text
    assert ("user", [], 1) == (caught.value.kind, left(home), len(run.view()["actions"][0]["failures"]))
    assert any(missing in line for line in said(run))


def test_those_who_wait_fail_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    waits = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    log = tap_uv(tmp_path, monkeypatch, before=f'[ "$1" = venv ] || {{ {waits}; exit 3; }}')
    runs = [flyte.submit(pid.override(retries=2), x) for x in range(3)]
    eventually(lambda: all(run.view()["actions"][0]["history"][-1][3] == "image" for run in runs))
    (tmp_path / "go").touch()
    for run in runs:
        with pytest.raises(errors.ImageBuildError, match="exit code 3"):
            run.result()
    assert (1, []) == (venvs_made(log), left(home))


def test_it_can_be_built_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    log = tap_uv(tmp_path, monkeypatch, before=f"[ -e {tmp_path}/mended ] || exit 4")
    with pytest.raises(errors.ImageBuildError, match="exit code 4"):
        flyte.run(pid, 1)
    (tmp_path / "mended").touch()
    flyte.run(pid, 2)
    assert (2, 1) == (venvs_made(log), len(built(home)))


def test_a_cloudpickle_that_cannot_read_tasks_is_refused(home: Home) -> None:
    def one() -> int:
        return 1

    task = flyte.TaskEnvironment(name="failing", image=image("cloudpickle==2.2.1")).task(one)
    with pytest.raises(errors.ImageBuildError, match=r"The image has cloudpickle 2\.2\.1, and tasks travel with"):
        flyte.run(task)
    assert [] == left(home)


# --- ending it


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Builds that do not end by themselves; the calls of uv."""
    return tap_uv(tmp_path, monkeypatch, before='[ "$1" = venv ] || sleep 600')


def is_stuck(log: Path) -> bool:
    return log.exists() and len(log.read_text().splitlines()) == 2


def test_cancelling_ends_the_build(stuck: Path, home: Home) -> None:
    run = flyte.submit(pid, 1)
    eventually(lambda: is_stuck(stuck))
    processes = builders(home)
    assert len(processes) >= 2
    run.cancel()
    run.wait(10)
    assert "aborted" == run.phase.value
    eventually(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))
    assert [] == left(home)


def test_a_build_goes_on_for_those_who_still_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    log = tap_uv(tmp_path, monkeypatch, before=f'[ "$1" = venv ] || while [ ! -e {tmp_path}/go ]; do sleep 0.02; done')
    first, second = flyte.submit(pid, 1), flyte.submit(pid, 2)
    eventually(lambda: is_stuck(log))
    eventually(lambda: second.view()["actions"][0]["history"][-1][3] == "image")
    first.cancel()
    first.wait(10)
    (tmp_path / "go").touch()
    second.result()
    assert ("aborted", 1) == (first.phase.value, venvs_made(log))


@pytest.mark.parametrize("package", ["iniconfig==2.0.0", "iniconfig==2.1.0", "six==1.17.0"])
def test_who_comes_while_a_build_is_given_up_gets_another(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    waits = f'[ "$1" = venv ] || while [ ! -e {tmp_path}/go ]; do sleep 0.02; done'
    log = tap_uv(tmp_path, monkeypatch, before=waits)
    task = flyte.TaskEnvironment(name="given_up", image=image(package)).task(pid.func)
    first = flyte.submit(task, 1)
    eventually(lambda: is_stuck(log))
    first.cancel()
    second = flyte.submit(task, 2)
    (tmp_path / "go").touch()
    assert second.result() > 0
    first.wait(30)
    assert ("aborted", 1) == (first.phase.value, len(built(home)))


def test_a_deadline_ends_the_build(stuck: Path, home: Home) -> None:
    with pytest.raises(errors.DeadlineExceededError):
        flyte.run(pid.override(timeout=flyte.Timeout(deadline=1)), 1)
    assert [] == left(home)


def test_a_build_is_no_queue(stuck: Path, home: Home) -> None:
    """Time in the queue is bounded, but this is not time in the queue: the deadline comes first."""
    timeout = flyte.Timeout(max_queued_time=0.1, deadline=2)
    with pytest.raises(errors.DeadlineExceededError):
        flyte.run(pid.override(timeout=timeout), 1)


def test_a_build_holds_no_slot(stuck: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_JUPYTER_HOST_SLOTS", "1")
    auto = flyte.TaskEnvironment(name="auto")

    @auto.task
    def one() -> int:
        return 1

    run = flyte.submit(pid, 1)
    eventually(lambda: is_stuck(stuck))
    assert 1 == flyte.run(one).outputs()[0]
    run.cancel()
    run.wait(10)


def test_a_host_that_is_stopped_ends_its_builds(stuck: Path, home: Home) -> None:
    run = flyte.submit(pid, 1)
    eventually(lambda: is_stuck(stuck))
    processes = builders(home)
    call(home, {"op": "shutdown"})
    run.wait(10)
    eventually(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))
    eventually(lambda: [] == left(home))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody ends the children of what was killed")
def test_a_host_that_is_killed_leaves_a_build_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    log = tap_uv(tmp_path, monkeypatch, before=f'[ "$1" = venv ] || while [ ! -e {tmp_path}/go ]; do sleep 0.02; done')
    run = flyte.submit(pid, 1)
    eventually(lambda: is_stuck(log))
    processes = builders(home)
    status = call(home, {"op": "status"})
    assert status is not None
    os.kill(status["pid"], signal.SIGKILL)
    eventually(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))
    (tmp_path / "go").touch()
    run.result()
    assert (2, 1) == (venvs_made(log), len(built(home)))


# --- credentials


def test_credentials_of_an_index_reach_uv_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    password = "-".join(["hunter2"] * 2)  # this file goes along as source, so that it must not have it
    note = f"{{ env; cat requirements.txt packages.txt; }} >> {tmp_path}/seen 2>/dev/null; echo {password}; exit"
    calls = tap_uv(tmp_path, monkeypatch, before=f'case "$*" in venv*|*cloudpickle*) ;; *) {note};; esac')
    (tmp_path / "r.txt").write_text(f"--extra-index-url https://me:{password}@localhost:1/b\nsix\n")
    monkeypatch.setenv("UV_CONSTRAINT", "")
    laid = (
        flyte.Image.from_debian_base()
        .with_pip_packages("six", index_url=f"https://me:{password}@localhost:1/a")
        .with_pip_packages(f"x @ https://me:{password}@localhost:1/x.whl")
        .with_requirements(tmp_path / "r.txt")
    )

    def looks() -> list[str]:
        return [name for name, value in os.environ.items() if "hunter2" in value]

    run = flyte.run(flyte.TaskEnvironment(name="private", image=laid).task(looks))
    seen = (tmp_path / "seen").read_text()
    assert [] == run.outputs()[0]
    assert f"UV_DEFAULT_INDEX=https://me:{password}@localhost:1/a\n" in seen
    assert f"--extra-index-url https://me:{password}@localhost:1/b\nsix\n" in seen
    assert f"\nx @ https://me:{password}@localhost:1/x.whl\n" in seen
    shown = [calls.read_text(), json.dumps(run.view()), repr(laid), *said(run)]
    assert [] == [text for text in shown if password in text]
    kept = [path for path in home.path.rglob("*") if path.is_file() and path.parent != home.environs]
    assert [] == [path for path in kept if password.encode() in path.read_bytes()]


# --- room on the disk


def test_an_image_that_somebody_removed_is_built_again(log: Path, home: Home) -> None:
    import shutil

    flyte.run(pid, 1)
    shutil.rmtree(home.images / built(home)[0])
    flyte.run(pid, 2)
    assert 2 == venvs_made(log)


def test_tidying_removes_what_nobody_uses(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    flyte.run(pid, 1)
    used = built(home)[0]
    unused = venvs.Venv(home.images, "0" * 32)
    unused.folder.mkdir()
    unused.complete()
    monkeypatch.setattr(venvs, "MOST", 0)
    assert ["0" * 32] == venvs.tidy(home.images)
    assert [used] == built(home)
    call(home, {"op": "shutdown"})
    eventually(lambda: call(home, {"op": "status"}) is None)
    eventually(lambda: [used] == venvs.tidy(home.images))  # once its lock is gone with it
    assert [] == left(home)
