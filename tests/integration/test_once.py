"""The Host of one request, as the container of a pod runs it: real processes, and a store in a folder."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import TaskEnvironment
from flyte_jupyter.home import Home
from flyte_jupyter.host.given import HOPELESS
from flyte_jupyter.host.handover import Handover
from flyte_jupyter.host.logs import parse
from flyte_jupyter.host.spoken import Ended
from flyte_jupyter.pack.libraries import requirement as version_of
from flyte_jupyter.pods import Failure, Phase, history_of
from flyte_jupyter.store import keys
from flyte_jupyter.vitals import VitalsEvent, from_bytes
from tests.conftest import eventually
from tests.integration.containers import Call, container
from tests.integration.processes import is_gone, pid_in

env = TaskEnvironment("once")


@env.task
def double(x: int) -> int:
    print(f"doubling {x}")
    return 2 * x


@env.task(retries=2)
def fail_twice() -> int:
    attempt = flyte.ctx().attempt_number
    print(f"attempt {attempt}")
    if attempt < 2:
        raise ValueError(f"not in attempt {attempt}")
    return attempt


@env.task
def wait_for(file: str) -> int:
    """What it is told to wait for comes in a later attempt."""
    Path("pid").write_text(f"{os.getpid()}\n")
    print("waiting", flush=True)
    try:
        while not Path(file).exists():
            time.sleep(0.01)
    finally:
        print("cleaned up", flush=True)
    return flyte.ctx().attempt_number


def test_a_container_runs_one_call_and_tells_of_it(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 21).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    assert 42 == call.value()
    assert [Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED] == pod.phases()
    assert ["doubling 21"] == pod.lines()
    assert pod.has_said_all


def test_what_it_leaves_is_what_the_local_host_leaves(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 21).put()
    with container(call) as pod:
        pod.ended()
    assert pod.events == history_of(call.store.get(call.key("status.json")))
    assert [("stdout", "doubling 21")] == [line[1:] for line in parse(bytes(call.store.get(call.key("log.0"))))]


def test_a_failure_is_an_outcome_and_no_reason_for_another_pod(tmp_path: Path, home: Home) -> None:
    @env.task
    def broken(x: int) -> float:
        return x / 0

    call = Call(tmp_path, home, broken, 1).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert ("ZeroDivisionError", Phase.FAILED) == (failure.code, pod.phases()[-1])


def test_retries_are_made_in_the_same_container(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, fail_twice).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    assert 2 == call.value()
    assert ["attempt 0", "attempt 1", "attempt 2"] == pod.lines()
    assert [0, 1, 2] == sorted({event.attempt for event in pod.events})


def test_what_replaces_a_lost_pod_goes_on_counting_and_charges_nobody(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, wait_for, "now").put()
    with container(call, "first") as pod:
        pod.until_printed("waiting")
        eventually(lambda: call.store.list(call.key("")) == ["attempts.json", "inputs"])
        pod.process.kill()
        pod.ended()
        assert not pod.has_said_all
    (tmp_path / "second" / "work").mkdir(parents=True)
    (tmp_path / "second" / "work" / "now").touch()
    with container(call, "second") as pod:
        assert 0 == pod.ended()
    assert 1 == call.value()
    first = pod.events[0]
    assert first.failure is not None
    assert (1, "AttemptLost") == (first.attempt, first.failure.code)
    attempts = Handover.of(call.store.get(call.key("attempts.json")), 0.0).attempts
    assert (1, 0, 1) == (attempts.number, attempts.failed, attempts.lost)


def test_what_replaces_a_pod_that_was_seen_to_end_tells_why_and_counts_what_was_charged(
    tmp_path: Path, home: Home
) -> None:
    call = Call(tmp_path, home, wait_for, "now").put()
    with container(call, "first", FLYTE_JUPYTER_POD="first") as pod:
        pod.until_printed("waiting")
        eventually(lambda: call.store.list(call.key("")) == ["attempts.json", "inputs"])
        pod.process.kill()
        pod.ended()
    first = Handover.of(call.store.get(call.key("attempts.json")), 0.0)
    assert "first" == first.pod
    failure = Failure(code="OOMError", kind="user", message="too much")
    second = first.after(replace(call.request, retries=1), failure, 0.0)
    assert isinstance(second, Handover)
    call.store.put(call.key("attempts.json"), [second.to_bytes()])
    (tmp_path / "second" / "work").mkdir(parents=True)
    (tmp_path / "second" / "work" / "now").touch()
    with container(call, "second") as pod:
        assert 0 == pod.ended()
    assert (1, failure) == (pod.events[0].attempt, pod.events[0].failure)
    attempts = Handover.of(call.store.get(call.key("attempts.json")), 0.0).attempts
    assert (1, 1, 0) == (attempts.number, attempts.failed, attempts.lost)


def test_what_did_not_hold_of_its_configuration_is_told_with_what_happened(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    with container(call, FLYTE_JUPYTER_NOTES="queue: there is none\nimage: another one") as pod:
        assert 0 == pod.ended()
    kept = history_of(call.store.get(call.key("status.json")))
    told = [event for event in kept if event.phase is Phase.INITIALIZING]
    assert ("queue: there is none", "image: another one") == told[0].notes[:2]


def test_a_pod_of_an_action_that_has_ended_tells_what_it_was_and_runs_nothing(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    with container(call, "first") as pod:
        pod.ended()
    before = pod.events
    with container(call, "second") as pod:
        assert 0 == pod.ended()
    assert (before, []) == (pod.events, pod.lines())
    assert pod.has_said_all


def test_a_success_is_not_lost_with_a_store_that_fails_at_the_end(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 21).put()
    in_the_way = tmp_path / "store" / call.key("status.json")
    in_the_way.mkdir()
    with container(call, "first") as pod:
        assert 1 == pod.ended()
    assert (["doubling 21"], 42) == (pod.lines(), call.value())
    in_the_way.rmdir()
    with container(call, "second") as pod:
        assert 0 == pod.ended()
    assert ([], 42, Phase.SUCCEEDED) == (pod.lines(), call.value(), pod.phases()[-1])


@env.task(retries=1)
def make_room(in_the_way: str) -> str:
    if flyte.ctx().attempt_number:
        os.rmdir(in_the_way)
    return "there is room"


def test_what_cannot_be_stored_is_a_failure_that_says_so(tmp_path: Path, home: Home) -> None:
    in_the_way = tmp_path / "store" / "runs" / "r1" / "actions" / "a0" / "outcome"
    call = Call(tmp_path, home, make_room, str(in_the_way)).put()
    in_the_way.mkdir()
    with container(call) as pod:
        assert 0 == pod.ended()
    (failure,) = [event.failure for event in pod.events if event.failure is not None]
    assert ("OutcomeNotStored", "system") == (failure.code, failure.kind)
    assert failure.message.startswith("What make_room has left could not be stored: ")
    assert "there is room" == call.value()


def test_a_pod_that_is_asked_to_end_ends_the_task_and_leaves_no_outcome(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, wait_for, "never").put()
    with container(call) as pod:
        pod.until_printed("waiting")
        pod.process.send_signal(signal.SIGTERM)
        assert 128 + signal.SIGTERM == pod.ended()
    assert ["waiting", "cleaned up"] == pod.lines()
    assert ["attempts.json", "inputs", "log.0"] == call.store.list(call.key(""))
    assert not pod.phases()[-1].is_terminal
    assert is_gone(pid_in(tmp_path / "pod" / "work" / "pid"))


def test_without_a_store_the_call_comes_in_files_and_goes_back_with_the_news(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 21)
    folder = call.carry()
    with container(call, FLYTE_JUPYTER_CALL=str(folder)) as pod:
        assert 0 == pod.ended()
    blobs = pod.blobs()
    assert {call.key("outcome"), call.key("status.json"), call.key("attempts.json")} == blobs.keys()
    call.pour(pod)
    assert 42 == call.value()
    terminal = next(i for i, news in enumerate(pod.news) if news == pod.events[-1])
    assert terminal == len(pod.news) - 2  # whoever hears of the end has the outcome already


@env.task
def give(size: int) -> bytes:
    return random.Random(0).randbytes(size)


def test_without_a_store_a_value_that_is_too_large_is_a_failure_with_the_ways_out(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, give, 5_000_000)
    with container(call, FLYTE_JUPYTER_CALL=str(call.carry())) as pod:
        assert 0 == pod.ended()
    call.pour(pod)
    failure = call.outcome().failure
    assert failure is not None
    assert ("InlineIOMaxBytesBreached", Phase.FAILED) == (failure.code, pod.phases()[-1])
    assert 1 == pod.phases().count(Phase.RUNNING)
    assert "give has left 4.77 MiB (outcome 4.77 MiB)" in failure.message
    assert "at most 4 MiB come back" in failure.message
    assert "s3://bucket/folder" in failure.message
    assert 20_000 > len(pod.text)


def test_without_a_store_a_value_that_just_fits_comes_back(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, give, 4_100_000)
    with container(call, FLYTE_JUPYTER_CALL=str(call.carry())) as pod:
        assert 0 == pod.ended()
    call.pour(pod)
    assert random.Random(0).randbytes(4_100_000) == call.value()
    assert 6_000_000 > len(pod.text)  # a container's log has room for it


def test_an_error_that_is_too_large_is_told_without_what_it_carries(tmp_path: Path, home: Home) -> None:
    @env.task
    def broken() -> int:
        raise ValueError("half of it is wrong", bytes(5_000_000))

    call = Call(tmp_path, home, broken)
    with container(call, FLYTE_JUPYTER_CALL=str(call.carry())) as pod:
        assert 0 == pod.ended()
    call.pour(pod)
    failure = call.outcome().failure
    assert failure is not None
    assert "ValueError" == failure.code
    assert 5_000_000 > len(pod.text)


@TaskEnvironment(
    "spender",
    secrets=[
        flyte.Secret("token", as_env_var="TOKEN"),
        flyte.Secret("file", group="team", mount="/etc/flyte/secrets"),
    ],
).task
def spend() -> str:
    print(os.environ["TOKEN"])
    return os.environ["FLYTE_SECRETS_DIR"]


def test_without_a_store_attempts_are_counted_on_when_the_next_pod_is_given_what_the_last_one_told(
    tmp_path: Path, home: Home
) -> None:
    call = Call(tmp_path, home, wait_for, "now")
    folder = call.carry()
    with container(call, "first", FLYTE_JUPYTER_CALL=str(folder)) as pod:
        pod.until_printed("waiting")
        pod.process.kill()
        pod.ended()
    for key, data in pod.blobs().items():
        (folder / keys.as_file(key)).write_bytes(data)
    (tmp_path / "second" / "work").mkdir(parents=True)
    (tmp_path / "second" / "work" / "now").touch()
    with container(call, "second", FLYTE_JUPYTER_CALL=str(folder)) as pod:
        assert 0 == pod.ended()
    call.pour(pod)
    assert 1 == call.value()


def test_secrets_are_what_the_cluster_has_put_into_variables_and_files(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, spend)
    request = replace(call.request, secrets=call.request.secrets[:1])
    call.put()
    with container(call, request=request, TOKEN="the value itself", FLYTE_SECRETS_DIR="/there") as pod:
        assert 0 == pod.ended()
    assert ("/there", ["***"]) == (call.value(), pod.lines())
    assert b"the value itself" not in pod.text


def test_a_secret_that_the_cluster_has_not_put_there_is_named(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, spend).put()
    with container(call, TOKEN="x") as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert "'team/file' is not in /etc/flyte/secrets/team/file of the container" in failure.message


def test_a_missing_package_is_told_by_name_and_nothing_is_attempted(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    packages = {"numpy": "numpy==2.1.0", "no_such_module": "no-such-package==1.2", "python": _python()}
    with container(call, request=replace(call.request, packages=packages)) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert ("ModuleNotFoundError", False) == (failure.code, failure.recoverable)
    assert (
        'no_such_module is not in the image of double.\nAdd it: .with_pip_packages("no-such-package==1.2")'
        == failure.message
    )
    assert Phase.RUNNING not in pod.phases()


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("data/../data/rows.csv", "goes along when its environment says so: include=['data/rows.csv']"),
        ("/home/me/rows.csv", "none of your machine: a bucket, a volume (pod_template) or the image"),
        ("../rows.csv", "none of your machine"),
    ],
)
def test_a_file_that_is_not_in_the_pod_comes_with_what_brings_it(
    tmp_path: Path, home: Home, name: str, advice: str
) -> None:
    @env.task
    def read(path: str) -> str:
        return Path(path).read_text()

    call = Call(tmp_path, home, read, name).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    said, note = failure.message.splitlines()
    assert f"[Errno 2] No such file or directory: {name!r}" == said
    assert advice in note


def test_a_program_that_is_not_in_the_image_is_none_of_our_files(tmp_path: Path, home: Home) -> None:
    @env.task
    def call_it() -> None:
        subprocess.run(["no-such-program"], check=True)

    call = Call(tmp_path, home, call_it).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert "The image of call_it has no program no-such-program: .with_apt_packages(" in failure.message


def test_another_python_is_told_by_name(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    with container(call, request=replace(call.request, packages={"python": "3.8"})) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert f"was called from Python 3.8, and its image has {_python()}" in failure.message
    assert "flyte.Image.from_debian_base(python_version=(3, 8))" in failure.message


def test_other_versions_are_noted(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    packages = {"cloudpickle": "cloudpickle==1.0", "numpy": version_of("numpy")}
    with container(call, request=replace(call.request, packages=packages)) as pod:
        assert 0 == pod.ended()
    (notes,) = [event.notes for event in pod.events if event.phase is Phase.INITIALIZING]
    assert (f"cloudpickle: the image has {version_of('cloudpickle')}, and the caller cloudpickle==1.0",) == notes


def test_a_request_of_another_version_of_this_package_says_so(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    asked = json.dumps({**call.request.to_json(), "env": {}, "of_tomorrow": 1})
    with container(call, FLYTE_JUPYTER_REQUEST=asked) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert (
        f"has flyte_jupyter {flyte.__version__}, which does not know what it is asked for: of_tomorrow"
        in failure.message
    )


def test_what_cannot_be_run_at_all_says_why_where_a_log_is_looked_at(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    with container(call, FLYTE_JUPYTER_REQUEST="{") as pod:
        assert HOPELESS == pod.ended()
    assert b"FLYTE_JUPYTER_REQUEST cannot be read" in pod.text


def test_a_store_that_cannot_be_read_makes_the_cluster_try_again(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 1).put()
    with container(call, request=replace(call.request, store="nowhere://x")) as pod:
        assert 1 == pod.ended()
    assert b"No store serves 'nowhere://x'" in pod.text


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@env.task(timeout=0.5)
def too_long() -> None:
    print("began", flush=True)
    time.sleep(60)


def test_time_limits_hold_in_a_pod(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, too_long).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    failure = call.outcome().failure
    assert failure is not None
    assert ("MaxRuntimeExceededError", Phase.TIMED_OUT) == (failure.code, pod.phases()[-1])
    assert ["began"] == pod.lines()


@env.task
def show() -> None:
    for _ in flyte.progress(range(3)):
        time.sleep(0.1)
    flyte.report.log("<b>found</b>")
    flyte.report.flush()


def test_bars_and_reports_are_told_and_kept(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, show).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    told = [news for news in pod.news if isinstance(news, VitalsEvent)]
    assert any(event.bars for event in told)
    assert any(event.report for event in told)
    assert b"<b>found</b>" in bytes(call.store.get(call.key("report.0.json")))
    assert from_bytes(call.store.get(call.key("vitals.0.json"))).bars


@env.task(retries=1)
def crash() -> int:
    print("about to crash", flush=True)
    if flyte.ctx().attempt_number == 0:
        os.kill(os.getpid(), signal.SIGSEGV)
    return 1


def test_a_crash_of_the_task_is_no_crash_of_its_pod(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, crash).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    assert (1, ["about to crash"] * 2) == (call.value(), pod.lines())
    (failure,) = [event.failure for event in pod.events if event.failure is not None]
    assert "WorkerCrashedError" == failure.code


def test_the_log_of_a_task_that_runs_is_in_the_store_before_it_has_ended(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, wait_for, "never").put()
    with container(call) as pod:
        pod.until_printed("waiting")
        eventually(lambda: "log.0" in call.store.list(call.key("")), within=30)
        assert b"waiting" in bytes(call.store.get(call.key("log.0")))


def test_what_is_kept_for_later_calls_is_left_in_the_store(tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 4, kept={"task": "once.double"}).put()
    entry = keys.cached("once.double", "i" * 32, "v" * 32)
    with container(call, request=replace(call.request, cache_key=entry)) as pod:
        assert 0 == pod.ended()
    assert 8 == call.value()
    assert call.store.get(entry) == call.store.get(call.key("kept"))


def test_variables_of_the_container_are_those_of_the_task_but_for_what_is_the_host_s(
    tmp_path: Path, home: Home
) -> None:
    @env.task
    def look() -> dict[str, str]:
        return dict(os.environ)

    call = Call(tmp_path, home, look.override(resources=flyte.Resources(cpu=2), env_vars={"MINE": "1"})).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    seen = call.value()
    assert ("1", "2", "0") == (seen["MINE"], seen["OMP_NUM_THREADS"], seen["FLYTE_ATTEMPT_NUMBER"])
    assert ["FLYTE_JUPYTER_HOME"] == [name for name in seen if name.startswith("FLYTE_JUPYTER_")]


def test_a_task_finds_no_way_to_tell_news_of_its_own(tmp_path: Path, home: Home) -> None:
    @env.task
    def speak() -> list[int]:
        forged = b'\x1e{"op":"end"}\n'
        told = []
        for file in range(64):
            try:
                if not stat.S_ISSOCK(os.fstat(file).st_mode):  # that to its Host
                    os.write(file, forged)
                    told.append(file)
            except OSError:
                continue
        return told

    call = Call(tmp_path, home, speak).put()
    with container(call) as pod:
        assert 0 == pod.ended()
    assert 1 == sum(news == Ended() for news in pod.news)
    assert {1, 2} <= set(call.value())
