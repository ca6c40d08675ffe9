"""Warm processes: what stays between calls, and that everything that an attempt has works in them."""

# ruff: noqa: ASYNC110, ASYNC240, ASYNC230, ASYNC251 - tasks may block: that is what is tested

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.config.values import reuse
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call
from flyte_jupyter.pods import Phase, PodRequest
from flyte_jupyter.store import keys
from flyte_jupyter.warm import of as pools_of
from tests.conftest import eventually, stop_host
from tests.integration.processes import is_gone, pid_in

pytestmark = [pytest.mark.one_host, pytest.mark.usefixtures("home")]

env = flyte.TaskEnvironment(name="warm", reusable=flyte.ReusePolicy(replicas=(0, 2)))
calls = 0
"""Stays 0 here: it is the process of the task that counts."""


@functools.lru_cache
def loaded(name: str) -> str:
    return f"{name} {time.monotonic_ns()}"


@env.task
def count(x: int) -> tuple[int, int, int]:
    global calls  # noqa: PLW0603 - that is what is tested
    calls += 1
    print("call", x)
    return os.getpid(), calls, x


@env.task
def model() -> str:
    return loaded("model")


@env.task
def breaks(how: str) -> int:
    if how == "sys.exit":
        sys.exit(3)
    if how == "raise":
        raise KeyError(how)
    if how == "os._exit":
        os._exit(3)
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    return os.getpid()


@env.task
def sleeps(place: str, stubborn: bool = False) -> int:
    Path(place).write_text(f"{os.getpid()}\n")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            if not stubborn:
                raise


@env.task
async def loop_id() -> tuple[int, int]:
    return os.getpid(), id(asyncio.get_running_loop())


@env.task
def tree(depth: int) -> list[int]:
    return [os.getpid(), *(tree(depth - 1) if depth else [])]


def another_task(x: int) -> int:
    return x + 1


def value(task: Any, *args: Any, **kwargs: Any) -> Any:
    outputs = flyte.run(task, *args, **kwargs).outputs()
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def pools(home: Home) -> list[dict[str, Any]]:
    answer = call(home, {"op": "pools"})
    assert answer is not None
    return list(answer["pools"])


def replica_of(run: flyte.Run) -> str:
    return str(run.view()["actions"][0]["replica"])


def test_the_second_call_finds_what_the_first_has_left() -> None:
    first, second = value(count, 1), value(count, 2)
    assert first[0] == second[0] != os.getpid()
    assert second[1] == first[1] + 1
    assert (1, 2) == (first[2], second[2])
    assert 0 == calls
    assert value(model) == value(model)


def test_coroutines_of_a_replica_have_one_event_loop() -> None:
    assert value(loop_id) == value(loop_id)


def test_the_card_says_which_replica_it_was_and_whether_it_was_warm() -> None:
    named = flyte.TaskEnvironment(name="told", reusable=flyte.ReusePolicy(replicas=(1, 2))).task(count.func)
    first, second = flyte.run(named, 1), flyte.run(named, 2)
    assert replica_of(first).startswith("replica 1 of pool told: cold, started in ")
    assert "replica 1 of pool told: warm, call 2" == replica_of(second)
    assert "reusable" not in " ".join(second.view().get("notes", ()))


def test_each_call_has_a_log_of_its_own() -> None:
    logs = [list(flyte.run(count, x).get_logs()) for x in (7, 8)]
    assert [["call 7"], ["call 8"]] == [[line.rstrip() for line in log] for log in logs]


def test_inputs_variables_and_folder_are_fresh(tmp_path: Path) -> None:
    def untidy(numbers: list[int], folder: str) -> tuple[list[int], bool, str]:
        before = os.getcwd()
        numbers.append(len(numbers))
        left = "LEFT_BEHIND" in os.environ
        os.environ["LEFT_BEHIND"] = "yes"
        os.chdir(folder)
        return numbers, left, before

    task = env.task(untidy)
    assert value(task, [5], str(tmp_path)) == value(task, [5], str(tmp_path)) == ([5, 1], False, os.getcwd())


@pytest.mark.parametrize(
    ("how", "error", "stays"),
    [
        ("sys.exit", errors.RuntimeUserError, True),
        ("raise", KeyError, True),
        ("os._exit", errors.WorkerCrashedError, False),
        ("segfault", errors.WorkerCrashedError, False),
    ],
)
def test_an_error_leaves_the_replica_and_a_crash_costs_it(how: str, error: type[Exception], stays: bool) -> None:
    before = value(breaks, "")
    with pytest.raises(error, match=r"breaks|raise"):
        flyte.run(breaks, how)
    assert stays is (value(breaks, "") == before)


def test_retries_find_what_the_attempt_before_has_left(tmp_path: Path) -> None:
    def at_the_third(place: str) -> int:
        seen = Path(place).read_text().split() if Path(place).exists() else []
        Path(place).write_text(" ".join([*seen, str(os.getpid())]))
        if len(seen) < 2:
            raise ValueError(f"only {len(seen)}")
        return len({*seen, str(os.getpid())})

    assert 1 == value(env.task(retries=3)(at_the_third), str(tmp_path / "seen"))


def test_a_task_that_takes_too_long_ends_and_its_replica_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    with pytest.raises(errors.MaxRuntimeExceededError) as caught:
        flyte.run(sleeps.override(timeout=1), str(place))
    assert "time.sleep(60)" in caught.value.remote_traceback
    assert pid_in(place) == value(breaks, "")


def test_a_task_that_ignores_its_time_limit_costs_the_replica(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    with pytest.raises(errors.MaxRuntimeExceededError):
        flyte.run(sleeps.override(timeout=1), str(place), stubborn=True)
    eventually(lambda: is_gone(pid_in(place)))
    assert pid_in(place) != value(breaks, "")


def test_cancelling_ends_the_task_alone(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    run = flyte.submit(sleeps, str(place))
    pid = pid_in(place)
    run.cancel()
    eventually(run.done)
    assert Phase.ABORTED == run.phase
    assert pid == value(breaks, "")


def test_a_pool_of_one_replica_does_not_wait_for_itself(home: Home) -> None:
    with pytest.warns(UserWarning, match="one replica"):
        policy = flyte.ReusePolicy(replicas=1)
    alone = flyte.TaskEnvironment(name="alone", reusable=policy)

    @alone.task
    def down(depth: int) -> list[int]:
        return [os.getpid(), *(down(depth - 1) if depth else [])]

    found = value(down, 3)
    assert 4 == len(set(found))
    eventually(lambda: [1] == [len(pool["replicas"]) for pool in pools(home) if pool["environment"] == "alone"])


def test_a_pool_grows_with_the_work_up_to_its_maximum() -> None:
    def slow(x: int) -> int:
        time.sleep(0.2)
        return os.getpid()

    two = flyte.TaskEnvironment(name="two", reusable=flyte.ReusePolicy(replicas=(0, 2))).task(slow)
    many = flyte.TaskEnvironment(name="many", reusable=flyte.ReusePolicy(replicas=(0, 5))).task(slow)

    @flyte.TaskEnvironment(name="maps").task
    def maps() -> tuple[list[int], list[int]]:
        return list(flyte.map(two, range(5))), list(flyte.map(many, range(5)))

    few, more = value(maps)
    assert 2 == len(set(few))
    assert len(set(more)) > 2


def test_a_pool_shrinks_to_its_minimum_and_then_ends(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_SHORTEST", timedelta(0))
    policy = flyte.ReusePolicy(replicas=(1, 3), scaledown_ttl=timedelta(seconds=0.3), idle_ttl=timedelta(seconds=1.5))

    def slow(x: int) -> int:
        time.sleep(0.3)
        return os.getpid()

    task = flyte.TaskEnvironment(name="shrinks", reusable=policy).task(slow)
    runs = [flyte.submit(task, x) for x in range(3)]
    pids = {_output(run) for run in runs}
    assert 3 == len(pids)
    eventually(lambda: 2 == sum(map(is_gone, pids)))
    eventually(lambda: all(map(is_gone, pids)))
    eventually(lambda: not [pool for pool in pools(home) if pool["environment"] == "shrinks"])


def _output(run: flyte.Run) -> Any:
    run.wait()
    return run.outputs()[0]


def test_other_settings_are_another_pool_and_the_older_one_drains(home: Home) -> None:
    def where() -> tuple[int, str]:
        return os.getpid(), os.environ.get("WHICH", "")

    pids = []
    for which in ("a", "b"):
        again = flyte.TaskEnvironment(name="again", env_vars={"WHICH": which}, reusable=flyte.ReusePolicy(2))
        pid, told = value(again.task(where))
        assert which == told
        pids.append(pid)
    eventually(lambda: is_gone(pids[0]))
    assert not is_gone(pids[1])
    assert 1 == len([pool for pool in pools(home) if pool["environment"] == "again"])


def test_the_scope_run_is_a_pool_per_run() -> None:
    per_run = flyte.TaskEnvironment(name="per_run", reusable=flyte.ReusePolicy(2, scope="run"))
    task = per_run.task(count.func)

    @flyte.TaskEnvironment(name="asks").task
    def twice() -> list[int]:
        return [task(1)[0], task(2)[0]]

    one, two = value(twice), value(twice)
    assert 1 == len(set(one)) == len(set(two))
    assert one != two
    eventually(lambda: is_gone(one[0]) and is_gone(two[0]))


def test_off_runs_in_a_process_of_its_own() -> None:
    off = count.override(reusable="off")
    run = flyte.run(off, 1)
    assert "" == replica_of(run)
    assert value(off, 1)[0] != value(off, 1)[0]


def test_memory_bounds_hold_and_what_breaks_them_is_named_and_replaced() -> None:
    bounded = flyte.TaskEnvironment(
        name="bounded", resources=flyte.Resources(memory="300Mi"), reusable=flyte.ReusePolicy(2)
    )

    @bounded.task
    def takes(megabytes: int) -> int:
        kept = b"x" * (megabytes << 20)
        return os.getpid() if kept else 0

    before = value(takes, 10)
    with pytest.raises(errors.OOMError, match="takes"):
        flyte.run(takes, 900)
    assert before != value(takes, 10)
    with pytest.raises(errors.OOMError, match="takes"):
        flyte.run(takes, 900)


def test_secrets_reach_a_replica_are_masked_and_a_new_value_is_a_new_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = flyte.TaskEnvironment(name="secretive", secrets="TOKEN", reusable=flyte.ReusePolicy(2))

    @secret.task
    def tells() -> tuple[int, int]:
        print(os.environ["TOKEN"])
        return os.getpid(), len(os.environ["TOKEN"])

    first, second = secrets.token_hex(8), secrets.token_hex(12)
    monkeypatch.setenv("TOKEN", first)
    run = flyte.run(tells)
    assert first not in "".join(run.get_logs())
    monkeypatch.setenv("TOKEN", second)
    pid, length = value(tells)
    assert (len(second), True) == (length, pid != run.outputs()[0])


def test_threads_that_a_task_leaves_do_not_keep_its_call() -> None:
    def leaves() -> int:
        threading.Thread(target=time.sleep, args=(60,)).start()
        return os.getpid()

    task = env.task(leaves)
    assert value(task) == value(task)


def test_an_idle_pool_uses_no_cpu(home: Home) -> None:
    pid = value(count, 1)[0]
    process = psutil.Process(pid)
    before = process.cpu_times()
    time.sleep(0.5)
    after = process.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.02


def test_stopping_the_host_leaves_nothing(home: Home) -> None:
    pid = value(count, 1)[0]
    stop_host(home)
    eventually(lambda: is_gone(pid))


def test_a_replica_dies_with_its_host_and_what_was_open_goes_on(home: Home, tmp_path: Path) -> None:
    def waits(began: str, gate: str) -> int:
        Path(began).write_text(f"{os.getpid()}\n")
        while not Path(gate).exists():
            time.sleep(0.01)
        return os.getpid()

    began, gate = tmp_path / "began", tmp_path / "gate"
    run = flyte.submit(env.task(waits), str(began), str(gate))
    first = pid_in(began)
    status = call(home, {"op": "status"})
    assert status is not None
    psutil.Process(status["pid"]).kill()
    eventually(lambda: is_gone(first))
    gate.touch()
    assert first != _output(run)


def test_the_pools_are_a_table_and_can_be_ended() -> None:
    listed = flyte.TaskEnvironment(name="listed", reusable=flyte.ReusePolicy(replicas=(1, 3)))
    task = listed.task(count.func)
    pid = value(task, 1)[0]
    value(task, 2)
    (pool,) = [pool for pool in flyte.pools() if pool.environment == "listed"]
    (replica,) = pool.replicas
    assert (pid, 2, 0, 2, 0) == (replica.pid, replica.served, replica.calls, pool.served, pool.busy)
    assert 1 << 20 < replica.memory < 1 << 30
    assert repr(pool).startswith("<Pool listed: 1 of at most 3 replicas, 0 busy, 2 calls, ")
    value(flyte.TaskEnvironment(name="emptied", reusable=flyte.ReusePolicy((0, 2))).task(count.func), 1)
    with pytest.raises(errors.WorkerCrashedError):
        flyte.run(
            flyte.TaskEnvironment(name="emptied", reusable=flyte.ReusePolicy((0, 2))).task(breaks.func), "os._exit"
        )
    lines = repr(flyte.pools()).splitlines()
    assert ["listed", "1", "idle", "for"] == next(line.split()[:4] for line in lines if line.startswith("listed"))
    assert ["emptied", "none", "now"] == next(line.split() for line in lines if line.startswith("emptied"))
    assert f"<td>{pid}</td>" in flyte.pools()._repr_html_()
    assert [True] == [str(pid) in part for part in pools_of(listed)]
    pool.shutdown()
    eventually(lambda: is_gone(pid))
    with pytest.raises(errors.HostError, match="that pool has ended"):
        pool.shutdown()
    assert pid != value(task, 3)[0]


def test_a_replica_that_is_lost_with_its_zygote_is_made_again(tmp_path: Path) -> None:
    gate, began = tmp_path / "gate", tmp_path / "began"

    def waits(began: str, gate: str) -> int:
        Path(began).write_text(f"{os.getpid()}\n")
        while not Path(gate).exists():
            time.sleep(0.01)
        return os.getpid()

    run = flyte.submit(env.task(waits), str(began), str(gate))
    first = pid_in(began)
    zygote = psutil.Process(first).parent()
    assert zygote is not None
    zygote.kill()
    eventually(lambda: is_gone(first))
    gate.touch()
    assert first != _output(run)
    assert 1 == run.view()["actions"][0]["attempt"]


def test_an_idle_replica_has_its_bounds_but_no_cores_and_gives_way_to_who_needs_its_memory() -> None:
    cores = psutil.cpu_count() or 1
    memory = psutil.virtual_memory().total
    asks = flyte.Resources(cpu=cores, memory="1Gi", disk="1Gi")
    held = flyte.TaskEnvironment(name="held", resources=asks, reusable=flyte.ReusePolicy(2))

    def stands() -> tuple[int, str, str]:
        return os.getpid(), os.environ["TMPDIR"], os.environ["OMP_NUM_THREADS"]

    task = held.task(stands)
    first = value(task)
    assert first == value(task)
    assert str(cores) == first[2]

    @flyte.TaskEnvironment(name="all_cores", resources=flyte.Resources(cpu=cores)).task
    def needs_cores() -> None: ...

    @flyte.TaskEnvironment(name="all_memory", resources=flyte.Resources(memory=f"{memory >> 20}Mi")).task
    def needs_memory() -> None: ...

    flyte.run(needs_cores)
    assert first[0] == value(task)[0]
    flyte.run(needs_memory)
    eventually(lambda: is_gone(first[0]) and not Path(first[1]).exists())


def test_inputs_of_another_call_and_code_that_nobody_signed_are_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = session.current()
    first = flyte.run(count, 1)
    launch = here.runner.launch

    def exchange(pod: PodRequest) -> None:
        here.store.put(keys.inputs(pod.run, pod.action), [here.store.get(keys.inputs(first.name, "a0"))])
        launch(pod)

    with monkeypatch.context() as patched:
        patched.setattr(here.runner, "launch", exchange)
        with pytest.raises(errors.RuntimeSystemError, match=f"made for inputs {first.name}-a0"):
            flyte.run(count, 2)
    before = set((home.path / "store" / "code").iterdir())

    def forge(pod: PodRequest) -> None:
        for blob in set((home.path / "store" / "code").iterdir()) - before:
            data = bytearray(blob.read_bytes())
            data[-1] ^= 1
            blob.write_bytes(data)
        launch(pod)

    with monkeypatch.context() as patched:
        patched.setattr(here.runner, "launch", forge)
        with pytest.raises(errors.RuntimeSystemError, match="code"):
            flyte.run(env.task(another_task), 1)
    assert first.outputs()[0] == value(count, 3)[0]


def test_of_a_task_that_changes_the_last_versions_are_kept() -> None:
    def versions(number: int) -> Any:
        def versioned() -> int:
            global calls  # noqa: PLW0603 - likewise
            calls += 1
            return calls + 0 * number

        return flyte.TaskEnvironment(name="edited", reusable=flyte.ReusePolicy(replicas=(0, 2))).task(versioned)

    tasks = [versions(number) for number in range(6)]
    assert [1] * 6 == [value(task) for task in tasks]
    assert [1, 2, 2] == [value(tasks[0]), value(tasks[5]), value(tasks[4])]


def test_a_call_that_is_cancelled_while_it_waits_for_a_replica_leaves_nothing(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="one replica"):
        policy = flyte.ReusePolicy(replicas=(0, 1))
    one = flyte.TaskEnvironment(name="queued", reusable=policy)
    task = one.task(sleeps.func)
    first = flyte.submit(task, str(tmp_path / "first"))
    pid_in(tmp_path / "first")
    second = flyte.submit(task, str(tmp_path / "second"))
    eventually(lambda: "all 1 are busy" in second.view()["actions"][0]["reason"])
    second.cancel()
    eventually(second.done)
    (pool,) = [pool for pool in flyte.pools() if pool.environment == "queued"]
    assert (1, 0) == (len(pool.replicas), pool.waiting)
    first.cancel()
    eventually(first.done)
    assert not (tmp_path / "second").exists()


# --- several calls at a time ------------------------------------------------------------------------------------------

several = flyte.TaskEnvironment(name="several", reusable=flyte.ReusePolicy(replicas=(0, 2), concurrency=4))


@several.task
async def meets(x: int, folder: str, of: int) -> tuple[int, str, int]:
    """Goes on when as many as are to meet are there."""
    print("begins", x)
    (Path(folder) / str(x)).touch()
    while len(list(Path(folder).iterdir())) < of:
        await asyncio.sleep(0.01)
    print("in a thread", await asyncio.to_thread(lambda: flyte.ctx().action.name))
    print("ends", x)
    return os.getpid(), str(flyte.ctx().action.run_name), x


@several.task
async def blocks(place: str, seconds: float) -> int:
    Path(place).write_text(f"{os.getpid()}\n")
    time.sleep(seconds)
    return os.getpid()


@several.task
async def waits_for(gate: str, began: str) -> int:
    with Path(began).open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
    return os.getpid()


@several.task
async def ends_the_process(how: str) -> int:
    await asyncio.sleep(0)
    if how == "sys.exit":
        sys.exit(4)
    if how == "os._exit":
        os._exit(4)
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
        await asyncio.sleep(10)
    return os.getpid()


def test_several_calls_are_in_one_replica_at_once_with_logs_and_contexts_of_their_own(tmp_path: Path) -> None:
    runs = [flyte.submit(meets, x, str(tmp_path), 4) for x in range(4)]
    for x, run in enumerate(runs):
        run.wait()
        log = [line.rstrip() for line in run.get_logs()]
        assert [f"begins {x}", "in a thread a0", f"ends {x}"] == log
        assert (run.name, x) == tuple(run.outputs())[1:]
    assert 1 == len({run.outputs()[0] for run in runs})


def test_what_waits_for_a_seat_says_so_and_gets_one(tmp_path: Path) -> None:
    runs = [flyte.submit(meets, x, str(tmp_path), 8) for x in range(8)]
    pids = {_output(run) for run in runs}
    assert 2 == len(pids)


def test_an_async_task_that_takes_too_long_ends_alone(tmp_path: Path) -> None:
    gate, began = tmp_path / "gate", tmp_path / "began"
    other = flyte.submit(waits_for, str(gate), str(began))
    pid = pid_in(began)
    with pytest.raises(errors.MaxRuntimeExceededError) as caught:
        flyte.run(waits_for.override(timeout=1), str(tmp_path / "never"), str(tmp_path / "b"))
    assert "asyncio.sleep(0.01)" in caught.value.remote_traceback
    gate.touch()
    assert pid == _output(other)
    assert 0 == other.view()["actions"][0]["attempt"]


def test_one_that_blocks_the_loop_costs_the_replica_and_others_are_repeated_uncharged(tmp_path: Path) -> None:
    gate, began = tmp_path / "gate", tmp_path / "began"
    other = flyte.submit(waits_for.override(retries=0), str(gate), str(began))
    pid = pid_in(began)
    with pytest.raises(errors.MaxRuntimeExceededError) as caught:
        flyte.run(blocks.override(timeout=1), str(tmp_path / "b"), 60)
    assert "time.sleep" in caught.value.remote_traceback
    gate.touch()
    assert pid != _output(other)
    assert 1 == other.view()["actions"][0]["attempt"]


@pytest.mark.parametrize("how", ["os._exit", "segfault"])
def test_a_crash_is_named_and_others_are_repeated_uncharged(how: str, tmp_path: Path) -> None:
    gate, began = tmp_path / "gate", tmp_path / "began"
    other = flyte.submit(waits_for, str(gate), str(began))
    pid = pid_in(began)
    with pytest.raises(errors.WorkerCrashedError, match="ends_the_process"):
        flyte.run(ends_the_process, how)
    gate.touch()
    assert pid != _output(other)


def test_sys_exit_is_the_error_of_its_task_alone(tmp_path: Path) -> None:
    gate, began = tmp_path / "gate", tmp_path / "began"
    other = flyte.submit(waits_for, str(gate), str(began))
    pid = pid_in(began)
    with pytest.raises(errors.RuntimeUserError, match=r"sys\.exit"):
        flyte.run(ends_the_process, "sys.exit")
    gate.touch()
    assert pid == _output(other)


def test_async_parents_and_children_of_one_environment_do_not_wait_for_each_other() -> None:
    one = flyte.TaskEnvironment(name="family", reusable=flyte.ReusePolicy(replicas=(0, 1), concurrency=2))

    @one.task
    async def child(x: int) -> int:
        await asyncio.sleep(0.01)
        return x * x

    @one.task
    async def parent(n: int) -> int:
        return sum(await asyncio.gather(*(child(x) for x in range(n))))

    runs = [flyte.submit(parent, n) for n in (3, 4, 5)]
    assert [5, 14, 30] == [_output(run) for run in runs]


def test_cancelling_one_of_several_leaves_the_others(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    began = [tmp_path / f"began{n}" for n in range(2)]
    one, other = (flyte.submit(waits_for, str(gate), str(place)) for place in began)
    pids = [pid_in(place) for place in began]
    one.cancel()
    eventually(one.done)
    assert Phase.ABORTED == one.phase
    gate.touch()
    assert pids[1] == _output(other)
