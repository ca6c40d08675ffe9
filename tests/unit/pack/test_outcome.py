"""What an action ended with, sealed and opened again."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flyte_jupyter.errors import OOMError
from flyte_jupyter.pack.codec import dumps
from flyte_jupyter.pack.envelope import PayloadError, seal
from flyte_jupyter.pack.outcome import (
    Outcome,
    header_of_kept,
    outcome_again,
    outcome_of,
    seal_again,
    seal_error,
    seal_failure,
    seal_value,
    unseal_kept,
    unseal_outcome,
)
from flyte_jupyter.pods import Failure, FrameName

KEY = b"k" * 32


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


NAME = "r1-a0"


def opened(payload: Sequence[bytes | memoryview], key: bytes = KEY) -> Outcome:
    return unseal_outcome(key, memoryview(b"".join(payload)), worker="r1-a0")


def test_outputs() -> None:
    outcome = opened(seal_value(KEY, dumps((1, "two")), {"text": "1", "html": None}, name=NAME))
    assert ((1, "two"), None, None) == (outcome.outputs(), outcome.failure, outcome.error())
    assert ({"text": "1", "html": None}, "r1-a0") == (outcome.preview, outcome.worker)


def test_no_outputs() -> None:
    outcome = opened(seal_value(KEY, dumps(()), None, name=NAME))
    assert ((), None, None) == (outcome.outputs(), outcome.preview, outcome.failure)


def test_large_outputs_are_views_of_the_payload() -> None:
    array = np.arange(100_000)
    payload = memoryview(b"".join(seal_value(KEY, dumps((array,)), None, name=NAME)))
    (found,) = unseal_outcome(KEY, payload, worker=NAME).outputs()
    assert np.array_equal(array, found)
    assert np.shares_memory(found, np.frombuffer(payload, dtype=np.uint8))
    assert found.flags.aligned
    assert 0 == (found.ctypes.data - np.frombuffer(payload, dtype=np.uint8).ctypes.data) % 64


def test_outputs_that_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot pickle"):
        seal_value(KEY, dumps((threading.Lock(),)), None, name=NAME)


def test_nothing_is_unpickled_before_it_is_asked_for(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    outcome = opened(seal_value(KEY, dumps((Bomb(trap),)), {"text": "a bomb", "html": None}, name=NAME))
    assert (None, "a bomb") == (outcome.failure, (outcome.preview or {})["text"])
    assert not trap.exists()
    outcome.outputs()
    assert trap.exists()


def test_an_error_is_raised_by_outputs() -> None:
    payload, failure = seal_error(KEY, ValueError("text"), name=NAME)
    outcome = opened(payload)
    assert failure == outcome.failure
    assert ("ValueError", "user", "text", True) == (failure.code, failure.kind, failure.message, failure.recoverable)
    with pytest.raises(ValueError, match="text"):
        outcome.outputs()


def test_the_hosts_own_failures() -> None:
    frames = (FrameName("f.py", 3, "f", 1),)
    failure = Failure(code="OOMError", kind="user", message="too much", frames=frames, recoverable=False)
    outcome = opened(seal_failure(KEY, failure, name=NAME))
    assert failure == outcome.failure
    with pytest.raises(OOMError, match="too much"):
        outcome.outputs()


def test_an_error_whose_class_cannot_be_rebuilt_is_told() -> None:
    payload, _ = seal_error(KEY, ValueError("text"), name=NAME)
    header = json.loads(bytes(payload[1]))
    broken = seal(KEY, {"kind": "outcome", "name": NAME, "failure": header["failure"]}, [b"no pickle at all"])
    error = opened(broken).error()
    assert ("ValueError", "text") == (getattr(error, "code", None), str(error))
    assert not isinstance(error, ValueError)


def test_tampering_is_refused() -> None:
    data = bytearray(b"".join(seal_value(KEY, dumps((1,)), None, name=NAME)))
    data[-1] ^= 1
    with pytest.raises(PayloadError, match="outcome of r1-a0 is damaged"):
        opened([bytes(data)])
    with pytest.raises(PayloadError, match="another key"):
        opened(seal_value(KEY, dumps((1,)), None, name=NAME), key=b"another")


def test_something_else_in_its_place_is_refused() -> None:
    with pytest.raises(PayloadError, match="something else"):
        opened(seal(KEY, {"kind": "inputs", "name": NAME}, [b"pickle"]))
    with pytest.raises(PayloadError, match="made for outcome r1-a1") as caught:
        opened(seal_value(KEY, dumps((1,)), None, name="r1-a1"))
    assert "PayloadMisplaced" == caught.value.code


def test_a_failure_without_a_payload() -> None:
    failure = Failure(code="OOMError", kind="user", message="too much")
    outcome = outcome_of(failure, worker=NAME)
    assert failure == outcome.failure
    with pytest.raises(OOMError, match="too much"):
        outcome.outputs()


def test_what_another_python_has_made_is_seen_and_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {"python": "3.4", "implementation": "CPython", "cloudpickle": "3.1"}
    with monkeypatch.context() as patch:
        patch.setattr("flyte_jupyter.pack.envelope.versions", lambda: theirs)
        value = seal_value(KEY, dumps((1,)), {"text": "1", "html": None}, name=NAME)
        failed, _ = seal_error(KEY, ValueError("text"), name=NAME)
    assert {"text": "1", "html": None} == opened(value).preview
    with pytest.raises(PayloadError, match=r"python: made with 3\.4"):
        opened(value).outputs()
    assert "text" == str(opened(failed).error())


@pytest.mark.parametrize(("version", "opens"), [("3.4", False), ("", True)])
def test_what_was_kept_is_opened_by_the_versions_that_have_pickled_it(
    version: str, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = dumps((1,))
    header = header_of_kept(value, None, entry="cache/e", about={})
    with monkeypatch.context() as patch:
        if version:
            theirs = {"python": version, "implementation": "CPython", "cloudpickle": "3.1"}
            patch.setattr("flyte_jupyter.pack.envelope.versions", lambda: theirs)
        kept = memoryview(b"".join(seal(KEY, header, value.parts)))
    found = unseal_kept(KEY, kept, entry="cache/e", opens=False)
    beside = memoryview(b"".join(seal_again(KEY, found.header, name=NAME)))
    for outcome in (outcome_again(found, name=NAME), unseal_outcome(KEY, beside, worker=NAME, kept=lambda: kept)):
        if opens:
            assert (1,) == outcome.outputs()
        else:
            with pytest.raises(PayloadError, match=r"python: made with 3\.4"):
                outcome.outputs()
