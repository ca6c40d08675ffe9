"""Buckets beyond the contract of stores: large blobs, interrupts, and what people are told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from flyte_jupyter import TaskEnvironment
from flyte_jupyter.errors import StoreError, StoreRefusedError
from flyte_jupyter.home import Home
from flyte_jupyter.host.given import HOPELESS
from flyte_jupyter.pods import Phase
from flyte_jupyter.store import Store, open_store
from flyte_jupyter.store.objects import ObjectStore
from tests.contract.s3 import bucket, credentials
from tests.integration.containers import Call, container

env = TaskEnvironment("buckets")
PART = 16 * 1024 * 1024


@pytest.fixture
def store() -> Iterator[Store]:
    with bucket() as url:
        yield open_store(url)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections, and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(30)
        yield server


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 12_345])
def test_a_blob_that_travels_in_parts_is_one_blob(store: Store, size: int) -> None:
    data = os.urandom(size)
    store.put("runs/r1/outcome", [data])
    assert data == store.get("runs/r1/outcome")
    assert ["outcome"] == store.list("runs/r1/")


def test_many_small_parts_and_large_ones_become_one_blob(store: Store) -> None:
    parts = [os.urandom(size) for size in (100, 0, PART + 5, 1, 7_000_000, PART, 64, PART - 1, 3)]
    store.put("k", parts)
    assert b"".join(parts) == store.get("k")


def test_a_large_blob_can_be_changed_and_the_store_cannot(store: Store) -> None:
    data = os.urandom(PART + 1000)
    store.put("k", [data])
    found = store.get("k")
    found[-1] ^= 255
    assert (False, data) == (found.readonly, bytes(store.get("k")))


def test_a_large_blob_is_put_once_if_absent(store: Store) -> None:
    data = os.urandom(PART + 1000)
    assert store.put_if_absent("files/abc", [data[:10], data[10:]]) is True
    assert store.put_if_absent("files/abc", [bytes(PART + 1)]) is False
    store.copy("files/abc", "files/def")
    assert data == store.get("files/def")


def test_a_large_blob_that_is_replaced_while_it_is_read_is_one_of_the_two(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are asked for one by one, and are all of the same one."""
    import obstore

    size, get, asked = 2 * PART + 1000, obstore.get, threading.Event()

    def replaced(*args: Any, **options: Any) -> Any:
        found = get(*args, **options)
        if not asked.is_set():
            asked.set()
            store.put("k", [b"2" * size])
        return found

    store.put("k", [b"1" * size])
    monkeypatch.setattr(obstore, "get", replaced)
    assert b"2" * size == store.get("k")


@pytest.mark.parametrize("operation", ["get('k')", "put('k', [b'v'])", "list('runs/')"])
def test_an_interrupt_ends_a_request(silent: socket.socket, operation: str) -> None:
    program = f"""
from flyte_jupyter.store import open_store
try:
    open_store("s3://bucket").{operation}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    environ = {**os.environ, "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with _python(program, environ) as process:
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(30)
            assert connection.recv(1)  # it has asked, and waits for the answer
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=30)
    assert "interrupted\n" == said, errors


_HEARS_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""What a shell runs in the background ignores it."""


@contextmanager
def _python(program: str, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{_HEARS_SIGINT}{program}"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_an_interrupt_ends_a_blob_that_travels_in_parts(store: Store) -> None:
    """What follows the interrupt is not read any more, and nothing is there."""
    program = f"""
import os, signal, threading
from flyte_jupyter.store import open_store
store, part = open_store({store.url!r}), memoryview(bytes({PART}))
parts = [part] * 40
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    store.put("k", parts)
except KeyboardInterrupt:
    print("interrupted", flush=True)
for thread in threading.enumerate():
    if thread.daemon:
        thread.join()
"""
    with _python(program, dict(os.environ)) as process:
        said, errors = process.communicate(timeout=60)
    assert "interrupted\n" == said, errors
    assert [] == store.list("")


def test_a_process_that_ends_right_after_it_used_a_bucket_ends_well(store: Store) -> None:
    """The Host in a pod does: another exit code would be a lost pod."""
    program = f"""
import contextlib
import os
from flyte_jupyter.store import open_store
store = open_store({store.url!r})
key = f"k{{os.getpid()}}"  # servers want few requests for one and the same
store.put(key, [b"v"])
store.delete(key)
with contextlib.suppress(KeyError):
    store.get(key)
"""
    for _ in range(3):
        with ExitStack() as stack:
            processes = [stack.enter_context(_python(program, dict(os.environ))) for _ in range(6)]
            errors = [process.communicate(timeout=60)[1] for process in processes]
            assert [0] * 6 == [process.returncode for process in processes], errors


def test_a_forked_process_is_told_that_it_cannot_use_a_bucket(store: Store) -> None:
    program = f"""
import os, sys
from flyte_jupyter import TaskEnvironment
from flyte_jupyter.errors import StoreError, StoreRefusedError
from flyte_jupyter.home import Home
from flyte_jupyter.host.given import HOPELESS
from flyte_jupyter.pods import Phase
from flyte_jupyter.store import open_store
store = open_store({store.url!r})
store.put("k", [b"v"])
if os.fork() == 0:
    try:
        open_store(store.url).get("k")
    except StoreError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""
    with _python(program, dict(os.environ)) as process:
        said, errors = process.communicate(timeout=60)
    assert "was forked by one that had used a bucket" in said, errors
    assert "spawn" in said


@env.task
def double(x: int) -> int:
    return 2 * x


def test_a_call_in_a_bucket_is_run_by_what_a_pod_runs(store: Store, tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, double, 21, url=store.url).put()
    with container(call, **credentials()) as pod:
        assert 0 == pod.ended()
    assert (42, Phase.SUCCEEDED) == (call.value(), pod.phases()[-1])
    assert ["attempts.json", "inputs", "outcome", "status.json"] == store.list(call.key(""))


def test_a_container_that_cannot_use_its_bucket_ends_so_that_no_other_is_started(
    store: Store, tmp_path: Path, home: Home
) -> None:
    call = Call(tmp_path, home, double, 21, url=store.url).put()
    with container(call, **{**credentials(), "AWS_SECRET_ACCESS_KEY": "wrong"}) as pod:
        assert HOPELESS == pod.ended()
    assert "refuses the credentials" in pod.text.decode()


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for the files that `aws configure` writes, with what the variables say, and without these."""
    said = credentials()
    for name in said:
        monkeypatch.delenv(name)
    for name, file in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        monkeypatch.setenv(name, str(tmp_path / file))
    keys = ("aws_access_key_id", "aws_secret_access_key")
    pair = "".join(f"{key} = {said[key.upper()]}\n" for key in keys)
    (tmp_path / "credentials").write_text(f"[default]\n{pair}\n[wrong]\naws_access_key_id=a\naws_secret_access_key=b")
    place = f"region = {said['AWS_REGION']}\nendpoint_url = {said['AWS_ENDPOINT_URL']}\n"
    more = {"default": "", "profile wrong": "", "profile signed": "sso_session = company\n"}
    more["profile asked"] = f"credential_process = {sys.executable} -c 'print(1)'\n"
    (tmp_path / "config").write_text("\n".join(f"[{name}]\n{place}{text}" for name, text in more.items()))
    return tmp_path


def test_the_files_of_aws_configure_say_which_server_and_who(store: Store, profiles: Path) -> None:
    store.put("k", [b"v"])
    assert b"v" == bytes(open_store(store.url).get("k"))


def test_variables_win_over_the_files(store: Store, profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with pytest.raises(StoreRefusedError, match="refuse"):
        open_store(store.url).get("k")


def test_a_profile_is_chosen_by_its_name(store: Store, profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "wrong")
    with pytest.raises(StoreRefusedError, match="refuse"):
        open_store(store.url).get("k")
    monkeypatch.setenv("AWS_PROFILE", "absent")
    with pytest.raises(StoreRefusedError, match="There are: asked, default, signed, wrong"):
        open_store(store.url)


@pytest.mark.parametrize("profile", ["signed", "asked"])
def test_a_profile_whose_credentials_have_to_be_fetched_says_how(
    store: Store, profiles: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setenv("AWS_PROFILE", profile)
    with pytest.raises(StoreRefusedError, match=f"aws configure export-credentials --profile {profile}"):
        open_store(store.url)


# --- what people are told ---------------------------------------------------------------------------------------------


USES: list[Callable[[Store], object]] = [
    lambda store: store.put("k", [b"v"]),
    lambda store: store.put("k", [bytes(PART + 1)]),
    lambda store: store.put_if_absent("k", [b"v"]),
    lambda store: store.get("k"),
    lambda store: store.list("runs/"),
    lambda store: store.copy("k", "l"),
]


@pytest.mark.parametrize("use", USES)
def test_a_bucket_that_is_not_there_is_named(store: Store, use: Callable[[Store], object]) -> None:
    with pytest.raises(StoreError, match="There is no bucket 'no-such-bucket-here'"):
        use(open_store("s3://no-such-bucket-here/folder"))


@pytest.mark.parametrize("use", USES)
def test_wrong_credentials_are_told_with_where_they_are_from(
    store: Store, use: Callable[[Store], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-nobody-may-see")
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") as caught:
        use(open_store(store.url))
    assert "refuse" in str(caught.value)
    assert "a-secret-nobody-may-see" not in str(caught.value)
    assert "Signature=" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:{port}", "http://127.0.0.1:{port}: Connection refused"),
        ("http://nobody.invalid", "http://nobody.invalid: failed to lookup address information"),
        ("https://{server}", "https://{server}: it does not speak TLS; write http:// if that is meant"),
    ],
)
def test_a_bucket_that_cannot_be_reached_says_where_it_was_looked_for_and_why(
    store: Store, address: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        names = {"port": nobody.getsockname()[1], "server": urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc}
        monkeypatch.setenv("AWS_ENDPOINT_URL", address.format(**names))
        monkeypatch.setattr("flyte_jupyter.store.objects._RETRIES", {"max_retries": 0})
        with pytest.raises(StoreError) as caught:
            open_store("s3://bucket/folder").get("k")
    assert str(caught.value).startswith(f"s3://bucket/folder/k cannot be reached: {says.format(**names)}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://key:secret@bucket/folder", "has credentials in it"),
        ("s3://key@bucket", "has credentials in it"),
        ("s3://", "is no bucket"),
        ("gs:///folder", "is no bucket"),
        ("s3://bucket?region=x", "is no bucket"),
        ("az://container/folder", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_urls_that_are_none_of_a_bucket(url: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreError, match=says) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["gs://bucket/a", "abfss://container@account.dfs.core.windows.net/a", "s3://bucket/"])
def test_buckets_of_other_clouds_are_opened_without_asking_them(url: str) -> None:
    assert f"ObjectStore({url.rstrip('/')!r})" == repr(open_store(url))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(StoreError, match=r"pip install 'flyte_jupyter\[kubernetes\]'"):
        ObjectStore("s3://bucket")


def test_opening_a_folder_does_not_import_what_buckets_need() -> None:
    program = """
import sys, tempfile, pathlib
from flyte_jupyter.store import open_store
open_store(pathlib.Path(tempfile.gettempdir()).as_uri())
print([name for name in ("obstore", "concurrent.futures") if name in sys.modules])
"""
    with _python(program, dict(os.environ)) as process:
        said, errors = process.communicate(timeout=60)
    assert "[]\n" == said, errors
