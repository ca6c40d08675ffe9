"""Inputs that are signed for a trigger first, and for each of its runs later."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest

from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.pack.call import (
    Packed,
    pack_inputs,
    reseal_inputs,
    seal_code,
    seal_for_trigger,
    seal_inputs,
    unseal_for_trigger,
    unseal_inputs,
)
from flyte_jupyter.pack.envelope import PayloadError

KEY = b"k" * 32


class Opens:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


def packed(value: object = 7) -> Packed:
    buffers: list[bytes | memoryview] = [memoryview(b"x" * 100_000)]
    return Packed([pickle.dumps(value), *buffers], "digest", "code-digest", frozenset())


def joined(payload: list[bytes | memoryview]) -> memoryview:
    file = io.BytesIO()
    for part in payload:
        file.write(part)
    return file.getbuffer()


def test_the_inputs_of_a_trigger_become_those_of_its_run() -> None:
    sealed = joined(seal_for_trigger(KEY, packed(), template="r-template"))
    given = unseal_inputs(KEY, joined(reseal_inputs(KEY, sealed, template="r-template", name="r1-a0")), name="r1-a0")
    assert ("code-digest", 7, b"x" * 100_000) == (
        given.header["code"],
        pickle.loads(given.parts[0]),
        bytes(given.parts[1]),
    )


def test_nothing_is_unpickled_on_the_way(tmp_path: Path) -> None:
    sealed = joined(seal_for_trigger(KEY, packed(Opens(tmp_path / "opened")), template="r-template"))
    given = unseal_inputs(KEY, joined(reseal_inputs(KEY, sealed, template="r-template", name="r1-a0")), name="r1-a0")
    assert not (tmp_path / "opened").exists()
    pickle.loads(given.parts[0]).close()
    assert (tmp_path / "opened").exists()


def test_inputs_of_another_trigger_of_a_run_or_of_somebody_else_are_refused() -> None:
    sealed = joined(seal_for_trigger(KEY, packed(), template="r-template"))
    for key, data, template in (
        (KEY, sealed, "r-other"),
        (KEY, joined(seal_inputs(KEY, packed(), name="r-template")), "r-template"),
        (b"other" * 8, sealed, "r-template"),
        (KEY, sealed[:-1], "r-template"),
    ):
        with pytest.raises(PayloadError):
            reseal_inputs(key, data, template=template, name="r1-a0")


def test_what_is_for_a_trigger_is_no_call() -> None:
    sealed = joined(seal_for_trigger(KEY, packed(), template="r1-a0"))
    assert "trigger" == unseal_for_trigger(KEY, sealed, template="r1-a0").header["kind"]
    with pytest.raises(PayloadError):
        unseal_inputs(KEY, sealed, name="r1-a0")


env = TaskEnvironment(name="calls")


@env.task
def inner(x: int) -> int:
    return x


@env.task
def outer(x: int) -> int:
    return inner(x)


@env.task
def again(x: int) -> int:
    return again(x - 1) if x else 0


def test_whether_a_task_reaches_tasks() -> None:
    assert [False, True, True] == [seal_code(KEY, each).calls for each in (inner, outer, again)]
    assert [True, False] == [pack_inputs(inner, "c", {"x": given}).calls for given in (outer, 1)]
