"""Secrets reach the tasks that name them, and nothing else."""

from __future__ import annotations

import base64
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.null
import psutil
import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.config.values.secret import MOUNT
from flyte_jupyter.credentials.memory import remembered
from flyte_jupyter.home import Home
from flyte_jupyter.host.client import call, connect_or_start
from flyte_jupyter.host.mounts import in_memory
from tests.conftest import eventually, forget_session, host_processes
from tests.integration.images import OLD, said
from tests.integration.processes import pid_in, program
from tests.integration.test_image_builds import tap_uv
from tests.integration.test_triggers import deploy_soon, runs_of

pytestmark = pytest.mark.usefixtures("home")

VALUE = "correct-{}-7f3a".format("horse")
"""Of the secret `db/api-key` in these tests; in pieces here, because the text of this file travels with its tasks."""
_LINES = ("-----BEGIN TEST KEY-----", "MIIEvQIBADANBgkqh", "kiG9w0BAQEFAASCBK", "-----END TEST KEY-----", "")
PEM = "\n".join(_LINES)

env = flyte.TaskEnvironment(name="with_secret", secrets=flyte.Secret("api-key", group="db"))
plain = flyte.TaskEnvironment(name="without")
both = flyte.TaskEnvironment(
    name="files",
    secrets=[
        flyte.Secret("key.pem", group="tls", mount=MOUNT),  # type: ignore[arg-type]  # a str, as in Flyte
        flyte.Secret("token", mount=MOUNT, as_env_var="TOKEN"),  # type: ignore[arg-type]
    ],
)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the person who runs the tests: no `.env`, no variables, an empty keyring, nothing remembered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # for processes of tasks
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.null.Keyring())
    for name in ("DB_API_KEY", "TOKEN", "FLYTE_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)
    remembered.clear()
    yield
    remembered.clear()
    keyring.set_keyring(before)


def give(value: str = VALUE, key: str = "api-key", group: str | None = "db") -> None:
    flyte.secrets.set(key, group=group, value=value)


# --- reaching the task


@env.task
def length() -> int:
    return len(os.environ["DB_API_KEY"])


@plain.task
def seen() -> str | None:
    return os.environ.get("DB_API_KEY")


def test_from_the_environment_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_API_KEY", VALUE)
    assert len(VALUE) == flyte.run(length).outputs()[0]


def test_from_a_dotenv_file_and_only_for_the_task_that_named_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DB_API_KEY={VALUE}\n")
    assert len(VALUE) == flyte.run(length).outputs()[0]
    assert flyte.run(seen).outputs()[0] is None


def test_given_in_the_notebook_and_forgotten(home: Home) -> None:
    give()
    assert len(VALUE) == flyte.run(length).outputs()[0]
    give(VALUE * 2)
    assert len(VALUE * 2) == flyte.run(length).outputs()[0]
    flyte.secrets.forget("api-key", group="db")
    with pytest.raises(errors.MissingSecretError):
        flyte.run(length)
    assert [["api-key", "db", "DB_API_KEY", False]] == unknown(home)


def unknown(home: Home) -> Any:
    from flyte_jupyter import session

    ref = ["api-key", "db", "DB_API_KEY", False]
    answer = call(home, {"op": "unknown", "session": session.current().id, "secrets": [ref]})
    assert answer is not None
    return answer["secrets"]


def test_from_a_provider_of_ones_own() -> None:
    flyte.secrets.add_provider("the safe", lambda secret: VALUE if secret.group == "db" else None)
    try:
        assert len(VALUE) == flyte.run(length).outputs()[0]
        assert "the safe" in repr(flyte.secrets.list())
    finally:
        from flyte_jupyter.credentials import providers

        providers.added.clear()


def test_under_the_variable_that_the_task_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_API_KEY", "general")
    other = length.override(secrets=flyte.Secret("api-key", "db", as_env_var="OTHER_NAME"))

    @plain.task(retries=0)
    async def all_of_them() -> list[str | None]:
        return [os.environ.get("OTHER_NAME"), os.environ.get("DB_API_KEY")]

    wants = all_of_them.override(secrets=list(other.secrets))
    assert ["general", "general"] == flyte.run(wants).outputs()[0]
    monkeypatch.setenv("OTHER_NAME", "special")
    assert ["special", "general"] == flyte.run(wants).outputs()[0]


@both.task
def files() -> dict[str, Any]:
    where = Path(os.environ["FLYTE_SECRETS_DIR"])
    found = [where, *sorted(where.rglob("*"))]
    return {
        "where": str(where),
        "modes": [oct(stat.S_IMODE(path.stat().st_mode)) for path in found],
        "names": [str(path.relative_to(where)) for path in found],
        "is_whole": (where / "tls" / "key.pem").read_text().count("\n"),
        "same": (where / "token").read_text() == os.environ["TOKEN"],
        "no_variable": "TLS_KEY.PEM" in os.environ,
    }


def test_as_files_that_only_their_user_can_read(home: Home) -> None:
    give(PEM, "key.pem", "tls")
    give(VALUE[::-1], "token", None)
    got = flyte.run(files).outputs()[0]
    assert [".", "tls", "tls/key.pem", "token"] == got["names"]
    assert ["0o700", "0o700", "0o400", "0o400"] == got["modes"]
    assert (4, True, False) == (got["is_whole"], got["same"], got["no_variable"])
    if os.getuid() == 0 and sys.platform == "linux":
        assert MOUNT == got["where"]
        assert [] == list(Path(MOUNT).iterdir())  # here, and in all other processes
    eventually(lambda: not secret_folders(home))


def secret_folders(home: Home) -> list[Path]:
    """The folders of attempts that are there, by the Host's own place for them."""
    folder = in_memory() / f"flyte-jupyter-{os.getuid()}" / home.identity
    return list(folder.iterdir()) if folder.exists() else []


@both.task
def waits(folder: str) -> int:
    (Path(folder) / "pid").write_text(f"{os.getpid()}\n")
    time.sleep(60)
    return 0


def test_files_are_gone_when_their_attempt_is_killed(home: Home, tmp_path: Path) -> None:
    give(PEM, "key.pem", "tls")
    give(VALUE[::-1], "token", None)
    run = flyte.submit(waits, str(tmp_path))
    pid = pid_in(tmp_path / "pid")
    assert 1 == len(secret_folders(home))
    os.kill(pid, signal.SIGKILL)
    run.wait(20)
    eventually(lambda: not secret_folders(home))


def test_files_that_a_killed_host_has_left_are_removed_by_the_next(home: Home, tmp_path: Path) -> None:
    give(PEM, "key.pem", "tls")
    give(VALUE[::-1], "token", None)
    run = flyte.submit(waits, str(tmp_path))
    pid_in(tmp_path / "pid")
    before = secret_folders(home)
    (tmp_path / "pid").unlink()
    host_processes(home)[0].kill()
    pid_in(tmp_path / "pid")  # another Host goes on, with the secrets that this kernel gave it again
    assert [path.name.replace("-a0-0", "-a0-1") for path in before] == [path.name for path in secret_folders(home)]
    run.cancel()
    run.wait(20)
    eventually(lambda: not secret_folders(home))


# --- nothing starts without them


def test_what_is_missing_is_told_before_anything_starts() -> None:
    before = len(flyte.runs())
    with pytest.raises(errors.MissingSecretError, match=r"'db/api-key', needed by with_secret.length"):
        flyte.run(length)
    with pytest.raises(errors.MissingSecretError, match=r"'db/api-key', needed by with_secret.length"):
        flyte.submit(calls_length)
    with pytest.raises(errors.MissingSecretError, match=r"'db/api-key', needed by with_secret.length_of"):
        list(flyte.map(length_of, [1, 2]))
    with pytest.raises(errors.MissingSecretError, match=r"'db/api-key', needed by with_secret.length"):
        flyte.run(calls_what_it_is_given, length)
    assert before == len(flyte.runs())


@env.task
def length_of(x: int) -> int:
    return x * len(os.environ["DB_API_KEY"])


@plain.task
def calls_length() -> list[Any]:
    return [os.environ.get("DB_API_KEY"), length(), seen()]


@plain.task
def calls_what_it_is_given(task: Any) -> Any:
    return task()


def test_tasks_that_are_called_have_theirs_and_their_caller_has_not() -> None:
    give()
    assert [None, len(VALUE), None] == flyte.run(calls_length).outputs()[0]
    assert [len(VALUE), 2 * len(VALUE)] == list(flyte.map(length_of, [1, 2]))
    assert len(VALUE) == flyte.run(calls_what_it_is_given, length).outputs()[0]


@plain.task
def calls_one_that_it_makes() -> Any:
    return length_named("length")()


def length_named(name: str) -> Any:
    import importlib

    return getattr(importlib.import_module("made_there"), name)


MADE_THERE = """
import os
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="made", secrets=flyte.Secret("api-key", group="db"))
@env.task
def length() -> int:
    return len(os.environ["DB_API_KEY"])
"""


def test_for_a_task_that_the_kernel_did_not_see_they_are_looked_for_where_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_there.py").write_text(MADE_THERE)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(errors.MissingSecretError, match="needed by made"):
        flyte.run(calls_one_that_it_makes)
    (tmp_path / ".env").write_text(f"DB_API_KEY={VALUE}\n")
    assert len(VALUE) == flyte.run(calls_one_that_it_makes).outputs()[0]
    (tmp_path / ".env").unlink()
    give("given to the kernel")
    assert len("given to the kernel") == flyte.run(calls_one_that_it_makes).outputs()[0]


def test_a_value_that_stands_in_the_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    give("in the text of this file")
    with pytest.raises(errors.CaptureError, match=r"length: the value of the secret 'db/api-key' stands in its code"):
        flyte.run(length)
    with pytest.raises(errors.CaptureError, match=r"read it from os.environ\['DB_API_KEY'\] in the task"):
        list(flyte.map(length_of, [1]))
    give("pytest")  # a word like others
    assert len("pytest") == flyte.run(length).outputs()[0]


def test_a_variable_has_one_value() -> None:
    with pytest.raises(errors.ConfigValueError, match="DB_API_KEY is in env_vars too"):
        flyte.TaskEnvironment("x", env_vars={"DB_API_KEY": "1"}, secrets=flyte.Secret("api-key", "db"))
    with pytest.raises(errors.ConfigValueError, match="DB_API_KEY is in env_vars too"):
        length.override(env_vars={"DB_API_KEY": "1"})
    with pytest.raises(errors.ConfigValueError, match="DB_API_KEY is in env_vars too"):
        env.clone_with("y", env_vars={"DB_API_KEY": "1"})
    give()
    with pytest.raises(errors.ConfigValueError, match="DB_API_KEY is in the run's env_vars too"):
        flyte.with_runcontext(env_vars={"DB_API_KEY": "1"}).run(length)


# --- staying out of everything else


@env.task
def prints() -> None:
    value = os.environ["DB_API_KEY"]
    print("plain", value)
    print("json", {"key": value}, repr(value))
    print(f"basic {base64.b64encode(f'user:{value}'.encode()).decode()}", file=sys.stderr)
    for part in (value[:5], value[5:], "\n"):  # in several writes
        os.write(1, part.encode())
        time.sleep(0.01)
    os.write(1, b"x" * (64 * 1024 - 5) + value.encode() + b"y" * 2000)  # across the longest line


@env.task
def raises() -> None:
    try:
        raise KeyError(os.environ["DB_API_KEY"])
    except KeyError as error:
        raise Refused(f"login with {os.environ['DB_API_KEY']}", {"deep": [os.environ["DB_API_KEY"]]}) from error


class Refused(Exception):
    """An error with something in it."""


class Deep:
    """Something that holds a value where nobody looks."""

    def __init__(self, value: str) -> None:
        self.value = value


@env.task
def raises_something_that_holds_it() -> None:
    raise Refused("login failed", Deep(os.environ["DB_API_KEY"]))


@env.task
def exits() -> None:
    sys.exit(f"wrong key {os.environ['DB_API_KEY']}")


@env.task(timeout=0.5)
def takes_too_long() -> None:
    print("waiting with", os.environ["DB_API_KEY"])
    time.sleep(30)


@env.task
def crashes() -> None:
    print("crashing with", os.environ["DB_API_KEY"])
    os.kill(os.getpid(), signal.SIGSEGV)


@env.task(retries=1)
def fails_then_calls(folder: str) -> list[Any]:
    marker = Path(folder) / "marker"
    print("with", os.environ["DB_API_KEY"])
    if not marker.exists():
        marker.touch()
        raise ValueError(os.environ["DB_API_KEY"])
    return [length(), *flyte.map(length_of, [1, 2])]


class Client:
    """Shows its key when it is shown."""

    def __init__(self, key: str) -> None:
        self._key = key[::-1]  # so that the pickle does not have it

    def __repr__(self) -> str:
        return f"Client({self._key[::-1]})"

    def _repr_html_(self) -> str:
        return f"<b>{self._key[::-1]}</b>"


@env.task
def client() -> Any:
    return Client(os.environ["DB_API_KEY"])


def everything_written(home: Home) -> dict[Path, bytes]:
    """All that is in the state folder, but for the environments that open runs need."""
    return {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file() and not path.is_socket()}


def command_lines() -> str:
    return "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))


def test_the_value_is_in_nothing_that_is_written_shown_or_told(home: Home, tmp_path: Path) -> None:
    give()
    tasks = (length, prints, raises, raises_something_that_holds_it, exits, takes_too_long, crashes, client)
    runs = [*map(flyte.submit, tasks), flyte.submit(fails_then_calls, str(tmp_path))]
    seen_while = command_lines()
    for run in runs:
        run.wait(60)
    eventually(lambda: not (call(home, {"op": "status"}) or {})["pods"])
    encoded = base64.b64encode(f"user:{VALUE}".encode())
    for path, data in everything_written(home).items():
        assert VALUE.encode() not in data, path
        assert encoded not in data, path
    assert VALUE not in seen_while + command_lines()
    for run in runs:
        shown = repr(run.view()) + "".join(run.get_logs())
        error = run.standing.wait().error()
        shown += (
            "".join(map(str, (error, error.remote_traceback, error.remote_cause, error.__cause__))) if error else ""
        )
        assert VALUE not in shown
        assert "succeeded" in shown or "***" in shown or "login failed" in shown
    printed = "\n".join(runs[1].get_logs())
    assert printed.count("***") >= 6
    assert "x***y" in printed
    assert "***" in str(runs[-2].view()["result"])


def test_an_exception_keeps_its_class_without_the_value(tmp_path: Path) -> None:
    give()
    with pytest.raises(Refused, match=r"login with \*\*\*") as caught:
        flyte.run(raises)
    original = caught.value.__cause__
    assert isinstance(original, Refused)
    assert ("login with ***", {"deep": ["***"]}) == original.args
    with pytest.raises(errors.RuntimeUserError, match="login failed"):  # which holds it too deep to travel
        flyte.run(raises_something_that_holds_it)


@plain.task
def quotes(path: str) -> None:
    text = Path(path).read_text()
    print("my caller wrote", text)
    raise ValueError(f"not {text}")


@env.task
def tells_a_child(path: str) -> None:
    Path(path).write_text(os.environ["DB_API_KEY"])
    quotes(path)


def test_other_attempts_of_the_kernel_print_it_masked_too(tmp_path: Path) -> None:
    give()
    run = flyte.submit(tells_a_child, str(tmp_path / "note"))
    run.wait(30)
    with pytest.raises(errors.RuntimeUserError, match=r"not \*\*\*") as caught:
        run.result()
    assert "ValueError" == caught.value.code
    [child] = [action["name"] for action in run.view()["actions"] if action["title"] == "quotes"]
    assert ["my caller wrote ***"] == list(run.get_logs(action=child))
    assert VALUE not in repr(run.view())


@env.task
def returns_it() -> dict[str, str]:
    return {"key": os.environ["DB_API_KEY"]}


def test_a_result_is_what_the_task_returned_but_its_card_is_masked_and_it_is_warned() -> None:
    give()
    run = flyte.run(returns_it)
    assert {"key": VALUE} == run.outputs()[0]
    assert VALUE not in repr(run.view())
    [warning] = run.get_logs()
    assert warning.startswith("flyte_jupyter: what returns_it returned holds the value of one of its secrets")


@plain.task
def takes(text: str, token: str) -> int:
    return len(text)


def test_inputs_that_look_like_one_are_shown_masked() -> None:
    run = flyte.run(takes, "plain", "4f9a0b1c2d3e4f5a6b7c8d9e")
    assert {"text": "'plain'", "token": "'***'"} == run.inputs()


@env.task
def takes_too(text: str) -> int:
    return len(text)


@env.task
def gives_it_to_a_child() -> int:
    return takes(f"key={os.environ['DB_API_KEY']}", "")


@env.task(cache="auto")
def takes_and_keeps(text: str) -> int:
    return len(text)


def test_a_call_that_is_given_it_is_refused(home: Home) -> None:
    give()
    words = r"takes_too: the value of the secret 'db/api-key' stands in its inputs, and would be stored with them"
    with pytest.raises(errors.CaptureError, match=words):
        flyte.run(takes_too, f"key={VALUE}")
    with pytest.raises(errors.CaptureError, match="takes: the value"):  # which needs none, but this kernel knows it
        flyte.run(takes, VALUE, "")
    with pytest.raises(errors.CaptureError, match="takes_and_keeps: the value"):
        flyte.run(takes_and_keeps, VALUE)
    with pytest.raises(errors.CaptureError, match="takes_too: the value"):
        list(flyte.map(takes_too, ["one", VALUE], return_exceptions=False))
    with pytest.raises(errors.CaptureError, match="takes: the value"):
        flyte.run(gives_it_to_a_child)
    for options in ({"custom_context": {"key": VALUE}}, {"labels": {"key": VALUE}}, {"env_vars": {"KEY": VALUE}}):
        with pytest.raises(errors.CaptureError, match=r"takes: the value .* stands in its options"):
            flyte.with_runcontext(**options).run(takes, "", "")
    eventually(lambda: not (call(home, {"op": "status"}) or {})["pods"])
    assert VALUE.encode() not in b"".join(everything_written(home).values())
    give("pytest")  # a word like others
    assert len("pytest") == flyte.run(takes_too, "pytest").outputs()[0]


class Console:
    name = "console"
    icon_uri = ""

    def get_link(self, run_name: str, **_: Any) -> str:
        return f"https://console/{run_name}?key={os.environ['DB_API_KEY']}"


@env.task(links=[Console()])
def linked() -> None: ...


@env.task
def calls_linked() -> None:
    linked()


def test_links_do_not_show_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_API_KEY", VALUE)
    runs = [flyte.run(linked), flyte.run(calls_linked)]
    eventually(lambda: not any(home.environs.iterdir()))  # of this kernel, for as long as its runs are open
    assert VALUE.encode() not in b"".join(everything_written(home).values())
    for run in runs:
        assert "?key=***" in repr(run.view())
        assert VALUE not in repr(run.view())


# --- of images

with_index = flyte.TaskEnvironment(
    name="with_index",
    image=flyte.Image.from_debian_base().with_pip_packages(OLD, secret_mounts=flyte.Secret("index-token")),
)


@with_index.task
def has_index_token() -> bool:
    return "INDEX_TOKEN" in os.environ


def test_the_layer_that_names_a_secret_is_made_with_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.MissingSecretError, match="needed by the image of with_index"):
        flyte.run(has_index_token)
    give(VALUE, "index-token", None)
    seen = tmp_path / "seen"
    tap_uv(tmp_path, monkeypatch, f'echo "token: $INDEX_TOKEN"; echo "$1 $INDEX_TOKEN" | tee -a {seen} >/dev/null')
    run = flyte.run(has_index_token)
    assert run.outputs()[0] is False
    told = [line.split() for line in seen.read_text().splitlines()]
    assert ["pip", VALUE] == told[-1]
    assert [["venv"], ["pip"]] == told[:-1]
    assert "token: ***" in said(run)
    seen.unlink()
    for path, data in everything_written(home).items():
        assert VALUE.encode() not in data, path


# --- when Host or kernel are gone


@env.task
def measured(folder: str) -> int:
    (Path(folder) / "begun").write_text(f"{os.getpid()}\n")
    print("have", os.environ["DB_API_KEY"])
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return len(os.environ["DB_API_KEY"])


def test_a_host_that_follows_one_that_died_is_given_them_again(home: Home, tmp_path: Path) -> None:
    give()
    run = flyte.submit(measured, str(tmp_path))
    first = pid_in(tmp_path / "begun")
    host_processes(home)[0].kill()
    eventually(lambda: (tmp_path / "begun").read_text() not in ("", f"{first}\n"))
    (tmp_path / "go").touch()
    run.wait(30)
    assert len(VALUE) == run.outputs()[0]
    assert ["have ***"] == list(run.get_logs())


KERNEL = """
import sys, os, time, pathlib
import flyte_jupyter as flyte
env = flyte.TaskEnvironment(name="with_secret", secrets=flyte.Secret("api-key", group="db"))

@env.task
def measured(folder: str) -> int:
    (pathlib.Path(folder) / "begun").write_text(str(os.getpid()) + chr(10))
    while not (pathlib.Path(folder) / "go").exists():
        time.sleep(0.01)
    return len(os.environ["DB_API_KEY"])

if "DB_API_KEY" not in os.environ:
    flyte.secrets.set("api-key", group="db", value="".join(["only ", "in memory"]))
run = flyte.submit(measured, os.getcwd())
print(run.name, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("given", [True, False])
def test_without_host_and_kernel_only_what_was_given_in_the_kernel_is_lost(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    if not given:
        monkeypatch.setenv("DB_API_KEY", "in the environment")
    with program(tmp_path, KERNEL) as kernel:
        assert kernel.stdout is not None
        name = kernel.stdout.readline().strip()
        pid_in(tmp_path / "begun")
        host = host_processes(home)[0]
    assert kernel.poll() is not None
    host.kill()
    host.wait(10)
    (tmp_path / "go").touch()
    connect_or_start(home).close()
    run = flyte.get_run(name)
    run.wait(30)
    if given:
        with pytest.raises(errors.RuntimeSystemError, match="Nobody has the value of 'db/api-key' any more") as caught:
            run.result()
        assert "SecretsLost" == caught.value.code
        assert "only in memory" not in repr(everything_written(home))
    else:
        assert len("in the environment") == run.outputs()[0]


# --- of triggers


def nightly(automation: flyte.FixedRate) -> flyte.TaskEnvironment:
    made = flyte.TaskEnvironment("nights", secrets=flyte.Secret("api-key", group="db"))

    @made.task(triggers=flyte.Trigger("nightly", automation))
    def work() -> int:
        return len(os.environ["DB_API_KEY"])

    return made


def fired() -> Any:
    """What the run of the trigger returned."""
    eventually(lambda: runs_of("nightly"))
    [run] = runs_of("nightly")
    run.wait(30)
    return run.outputs()[0]


def test_a_trigger_that_lacks_one_is_not_deployed() -> None:
    with pytest.raises(errors.MissingSecretError, match=r"Trigger 'nightly' of nights.work: A secret has no value"):
        flyte.deploy(nightly(flyte.FixedRate(600)))
    assert [] == list(flyte.triggers())


def test_a_trigger_fires_with_what_its_kernel_was_given(home: Home) -> None:
    give()

    def leave() -> None:
        forget_session()
        remembered.clear()

    deploy_soon(home, nightly, leave)
    assert len(VALUE) == fired()
    assert VALUE not in repr(everything_written(home))


def test_a_trigger_that_outlives_its_host_finds_what_is_in_a_file(home: Home, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DB_API_KEY={VALUE}\n")

    def leave() -> None:
        forget_session()
        host = host_processes(home)[0]
        host.kill()
        host.wait(10)
        connect_or_start(home).close()

    deploy_soon(home, nightly, leave)
    assert len(VALUE) == fired()


# --- the table


def test_the_table_says_where_values_come_from_and_never_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "<b>token</b>")
    give()
    give("kept for later", "unused", None)
    table = flyte.secrets.list()
    text, markup = repr(table), table._repr_html_()
    for shown in (text, markup):
        for value in ("token</b>", VALUE, "kept for later"):
            assert value not in shown
    rows = {row.secret.title: row for row in table}
    assert "what this kernel was given" == rows["db/api-key"].source
    assert "the environment" == rows["token"].source
    assert "" == rows["tls/key.pem"].source
    assert ("no task", "nobody: missing") == (rows["unused"].cells()[3], rows["tls/key.pem"].cells()[2])
    assert "/etc/flyte/secrets/tls/key.pem" in text


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (TypeError, "a str is needed, not bytes", {"value": b"x"}),
        (ValueError, "no value was given", {"value": ""}),
        (ValueError, "there is no terminal\n  give it with value=", {}),
    ],
)
def test_what_cannot_be_a_value_is_refused(error: type[Exception], words: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(error, match=words):
        flyte.secrets.set("token", **arguments)
    assert {} == remembered


@plain.task
def sets() -> None:
    flyte.secrets.set("token", value="x")


def test_a_task_gives_no_secrets() -> None:
    with pytest.raises(errors.ConfigValueError, match="A task cannot give secrets"):
        flyte.run(sets)
