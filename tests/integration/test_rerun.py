"""Runs that are run again with what they ran with then."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors, session
from flyte_jupyter.pack.envelope import PayloadError
from flyte_jupyter.store import keys
from tests.conftest import forget_session

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="again", env_vars={"SCALE": "10"})
bonus = 1


@env.task
def scales(x: int, y: int = 1) -> int:
    return x * y * int(os.environ["SCALE"]) + bonus


@env.task
async def calls(x: int) -> int:
    return await scales.aio(x, y=3)


@env.task(cache="auto")
def kept(x: int) -> int:
    return x


@env.task
def fails() -> int:
    raise KeyError("text")


def test_with_the_code_the_inputs_and_the_settings_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    first = flyte.run(scales, 2)
    monkeypatch.setattr("tests.integration.test_rerun.bonus", 5)
    again = flyte.rerun(first.name)
    assert (21, 21) == (first.result(), again.result())
    assert first.name != again.name
    assert {"x": "2", "y": "1"} == again.inputs()


def test_in_another_kernel_and_of_an_action_that_was_called() -> None:
    name = flyte.run(calls, 2).name
    forget_session()
    (called,) = [each["name"] for each in flyte.runs()[0].view()["actions"] if each["name"] != "a0"]
    assert (61, 61) == (flyte.rerun(name).result(), flyte.rerun(name, called).result())


def test_with_another_input_or_another_setting() -> None:
    run = flyte.run(scales, 2)
    assert 41 == flyte.rerun(run, y=2).result()
    assert 201 == flyte.rerun(run, override={"env_vars": {"SCALE": "100"}}).result()


def test_with_options_for_all_of_the_run() -> None:
    run = flyte.run(scales, 2)
    again = flyte.with_runcontext(mode="local", labels={"of": run.name}).rerun(run, y=2)
    assert (41, run.name) == (again.result(), again._record["pod"]["labels"]["of"])


def test_what_fails_fails_again() -> None:
    with pytest.raises(KeyError):
        flyte.run(fails)
    with pytest.raises(KeyError):
        flyte.rerun(flyte.runs()[0])


def test_what_is_wrong_is_said_and_nothing_is_started() -> None:
    run = flyte.run(scales, 2)
    with pytest.raises(errors.ConfigTypeError, match=r"has no input 'xx'. Did you mean 'x'\?"):
        flyte.rerun(run, xx=1)
    with pytest.raises(errors.ConfigTypeError, match="retires"):
        flyte.rerun(run, override={"retires": 1})
    with pytest.raises(errors.RunNotFoundError, match="no call 'r-none-a0'"):
        flyte.rerun("r-none")
    assert [run.name] == [each.name for each in flyte.runs(1)]


def test_what_came_from_the_cache_has_nothing_to_run_again() -> None:
    flyte.run(kept, 1)
    hit = flyte.run(kept, 1)
    assert hit.is_cached
    with pytest.raises(errors.RunNotFoundError, match="came from the cache"):
        flyte.rerun(hit)


def test_inputs_of_another_call_are_refused() -> None:
    one, other = flyte.run(scales, 2), flyte.run(scales, 3)
    store = session.current().store
    store.put(keys.inputs(one.name, "a0"), [store.get(keys.inputs(other.name, "a0"))])
    with pytest.raises(PayloadError, match=f"call of {one.name}"):
        flyte.rerun(one)


def test_a_library_that_this_kernel_does_not_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = tmp_path / "site-packages"
    libraries.mkdir()
    (libraries / "gone_library.py").write_text("def double(x):\n    return 2 * x\n")
    with monkeypatch.context() as there:
        there.syspath_prepend(str(libraries))
        double = importlib.import_module("gone_library").double

        @env.task
        def uses(x: int) -> int:
            return double(x)  # type: ignore[no-any-return]  # of a module made above

        run = flyte.run(uses, 2)
    monkeypatch.delitem(sys.modules, "gone_library")
    assert 4 == run.result()
    with pytest.raises(errors.CaptureError, match="needs 'gone_library', which this kernel does not have"):
        flyte.rerun(run)
