"""Calls and what they leave, carried between our store and that of a pod, both real ones."""

from __future__ import annotations

import base64
import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.errors import ConfigValueError
from flyte_jupyter.home import Home
from flyte_jupyter.host.spoken import Decoder, Piece, encode
from flyte_jupyter.host.stored import Carried
from flyte_jupyter.pack.call import pack_inputs, seal_code, seal_inputs, unseal_code, unseal_inputs
from flyte_jupyter.pack.envelope import PayloadError
from flyte_jupyter.pods import PodRequest
from flyte_jupyter.runners.kubernetes.carriage import MOST, call_secret, pour, secret_name
from flyte_jupyter.store import Store, keys, open_store
from flyte_jupyter.store.files import FileStore

KEY = bytes(range(32))
CODE = "code/" + "5e" * 32
env = flyte.TaskEnvironment(name="carriage")


@env.task
def double(x: Any) -> Any:
    return x


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    return open_store((tmp_path / "ours").as_uri())


@pytest.fixture
def pod(tmp_path: Path) -> Home:
    return Home(tmp_path / "pod").make()


def request(store: Store, action: str = "a0") -> PodRequest:
    return PodRequest(
        run="r0abc",
        action=action,
        task=double.name,
        title="double",
        store=store.url,
        python="python3",
        labels={"s": "1"},
    )


def call(store: Store, x: object, action: str = "a0") -> PodRequest:
    """Store a call as the engine does."""
    made = request(store, action)
    code = seal_code(KEY, double)
    given = pack_inputs(double, code.digest, {"x": x})
    store.put(keys.code(code.digest), code.payload)
    store.put(keys.inputs(made.run, made.action), seal_inputs(KEY, given, name=made.name))
    return made


def mount(secret: dict[str, Any], folder: Path) -> Path:
    """As Kubernetes does it: a file for each entry, reached through links whose names begin with a dot."""
    data = folder / "..2026_11_23"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to(data.name)
    for name, value in secret["data"].items():
        (data / name).write_bytes(base64.b64decode(value, validate=True))
        (folder / name).symlink_to(f"..data/{name}")
    return folder


def test_a_call_that_was_carried_can_be_opened_in_the_pod(ours: Store, pod: Home, tmp_path: Path) -> None:
    made = call(ours, [1, "two"])
    carried = Carried(mount(call_secret(ours, made), tmp_path / "call"), pod)
    carried.pour()
    there = open_store(carried.url)
    given = unseal_inputs(KEY, there.get(keys.inputs(made.run, made.action)), name=made.name)
    digest = given.header["code"]
    assert double.name == unseal_code(KEY, there.get(keys.code(digest)), digest=digest).name
    assert [] == list(carried.left(made))  # what has been sent is not told again


def test_the_secret_is_one_that_kubernetes_takes(ours: Store) -> None:
    from kubernetes import client

    made = call(ours, 1, "a5e5e-1")
    secret = call_secret(ours, made)
    api = client.ApiClient()
    assert secret == api.sanitize_for_serialization(api.deserialize(json.dumps(secret), "V1Secret", "application/json"))
    assert secret_name(made) == secret["metadata"]["name"] == "r0abc-a5e5e-1-call"
    assert {"s": "1", "flyte-jupyter/run": "r0abc"}.items() <= secret["metadata"]["labels"].items()
    assert all(
        len(name) <= 253 and not set(name) - set("-._") - set(map(chr, range(48, 123))) for name in secret["data"]
    )


def test_a_call_that_is_too_large_says_what_of_it_and_the_ways_out(ours: Store) -> None:
    made = call(ours, random.Random(0).randbytes(MOST))
    with pytest.raises(
        ConfigValueError, match=r"double: the call has 9\d\d KiB, of which 9\d\d KiB are inputs\n"
    ) as caught:
        call_secret(ours, made)  # its code is small, and not named
    said = str(caught.value)
    assert "at most 900 KiB travel to a pod" in said
    assert 'store = "s3://bucket/folder"' in said


def test_a_call_that_just_fits_goes(ours: Store) -> None:
    made = call(ours, b"")
    room = MOST - sum(len(base64.b64decode(blob)) for blob in call_secret(ours, made)["data"].values())
    made = call(ours, bytes(room - 100))
    assert MOST - 100 <= sum(len(base64.b64decode(blob)) for blob in call_secret(ours, made)["data"].values()) <= MOST


def test_a_call_that_is_not_there_or_damaged_is_not_sent(ours: Store) -> None:
    made = request(ours)
    with pytest.raises(KeyError):
        call_secret(ours, made)
    ours.put(keys.inputs(made.run, made.action), [b"FLYTE"])
    with pytest.raises(PayloadError, match="damaged"):
        call_secret(ours, made)


def test_what_a_pod_leaves_comes_back_as_it_was(ours: Store, pod: Home, tmp_path: Path) -> None:
    made = call(ours, 1)
    carried = Carried(mount(call_secret(ours, made), tmp_path / "call"), pod)
    carried.pour()
    blobs = {
        keys.outcome(made.run, made.action): random.Random(1).randbytes(100_000),
        keys.status(made.run, made.action): b"[]",
        keys.report(made.run, made.action, 0): b"",
        keys.inputs(made.run, "a0123-1"): b"of a child",
        keys.cached(double.name, "5e" * 32, "1f" * 32): b"\x1e\n\x00",
        keys.newest(double.name) + "0001.5e.1f": b"",
        CODE: b"of a child",
    }
    there = FileStore(carried.url)
    for key, data in blobs.items():
        there.put(key, [data])
    there.put(keys.log(made.run, made.action, 0), [b"was told already"])
    parts: dict[str, dict[int, bytes]] = {}
    decoder = Decoder.of(made)
    for news in decoder.feed(b"".join(encode(piece) for piece in carried.left(made))):
        assert isinstance(news, Piece)
        parts.setdefault(news.key, {})[news.part] = news.data
    for key, found in parts.items():
        pour(ours, made, key, b"".join(data for _, data in sorted(found.items())))
    assert blobs == {key: bytes(ours.get(key)) for key in blobs}
    assert blobs.keys() == parts.keys()


def test_what_called_actions_have_left_goes_as_far_as_there_is_room(ours: Store, pod: Home, tmp_path: Path) -> None:
    made = call(ours, 1)
    carried = Carried(mount(call_secret(ours, made), tmp_path / "call"), pod)
    there = FileStore(carried.url)
    own, small, large = (keys.outcome(made.run, action) for action in ("a0", "a5", "a7"))
    for key, size in ((own, 2_000_000), (small, 1_000_000), (large, 3_000_000)):
        there.put(key, [bytes(size)])
    keys_in_order = list(dict.fromkeys(piece.key for piece in carried.left(made)))
    assert [own, small] == [key for key in keys_in_order if key.endswith("outcome")]


@pytest.mark.parametrize(
    "key",
    [
        "runs/r0other/actions/a0/outcome",
        "runs/r0abc/record.json",
        "runs/r0abc/actions/outcome",
        "runs/r0abc/actions/../../r0other/outcome",
        "runs/r0abc/actions/a0/.outcome",
        "runs/r0abc/actions/a0/deep/outcome",
        "triggers/r0abc",
        "images/5e",
        "code/short",
        "cache/birds.train/newest",
        "cache/birds.train/../newest",
        "key",
        "/etc/passwd",
        "",
    ],
)
def test_what_a_pod_may_not_leave_is_left_out(ours: Store, key: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "flyte_jupyter"):
        pour(ours, request(ours), key, b"forged")
    assert [repr(key) in record.getMessage() for record in caplog.records] == [True]
    assert [] == ours.list("")


@pytest.mark.parametrize("action", ["a0", "a5"])
def test_the_end_of_what_was_cancelled_is_not_written_over(ours: Store, action: str) -> None:
    for key in (keys.outcome("r0abc", action), keys.status("r0abc", action)):
        ours.put(key, [b"cancelled"])
        pour(ours, request(ours), key, b"what the caller saw of it")
        assert b"cancelled" == bytes(ours.get(key))


def test_the_code_of_a_task_is_not_written_over(ours: Store) -> None:
    ours.put(CODE, [b"ours"])
    pour(ours, request(ours), CODE, b"forged")
    assert b"ours" == bytes(ours.get(CODE))
