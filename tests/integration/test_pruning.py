"""Runs of the past are deleted, and nothing that somebody needs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from flyte_jupyter.store import keys
from flyte_jupyter.store.files import FileStore
from tests.conftest import forget_session

env = flyte.TaskEnvironment(name="prunes")


@env.task
def old(x: int) -> int:
    return x


@env.task
def new(x: int) -> int:
    return x + 1


@env.task(cache="auto")
def kept(x: int) -> int:
    return x + 2


def _codes(store: FileStore) -> set[str]:
    return set(store.list("code/"))


def test_code_goes_with_the_last_run_that_refers_to_it(home: Home) -> None:
    store = FileStore(home.store_url)
    first = flyte.run(old, 1)
    of_old = _codes(store)
    second, third = flyte.run(new, 1), flyte.run(new, 2)
    for digest in _codes(store):  # as if it had been sent long ago
        os.utime(store.path(keys.code(digest)), (0, 0))
    home.remote.mkdir()
    (home.remote / second.name).touch()  # as if it went on in a cluster

    of_all = _codes(store)
    assert {first.name, third.name} == set(flyte.prune(0, dry_run=True).runs)
    assert of_all == _codes(store)
    done = flyte.prune(0)
    assert {first.name, third.name} == set(done.runs)
    assert done.bytes > 0
    assert of_all - of_old == _codes(store)

    (home.remote / second.name).unlink()
    assert (second.name,) == flyte.prune(0).runs
    assert set() == _codes(store)

    forget_session()
    again = flyte.run(old, 3)
    assert 3 == again.result()


def test_what_is_young_or_kept_stays(home: Home) -> None:
    store = FileStore(home.store_url)
    run = flyte.run(kept, 1)
    assert "<Pruned 0 runs, 0.0 MiB>" == repr(flyte.prune(1))
    assert 3 == flyte.get_run(run.name).result()

    before = _codes(store)
    assert (run.name,) == flyte.prune(0).runs
    assert before == _codes(store)  # a kernel may be about to use it
    forget_session()
    assert flyte.run(kept, 1).is_cached


def test_a_run_that_has_left_no_end_goes_by_its_age(home: Home) -> None:
    store = FileStore(home.store_url)
    run = flyte.run(old, 1)
    os.unlink(store.path(keys.status(run.name, "a0")))
    assert () == flyte.prune(1).runs
    assert (run.name,) == flyte.prune(0).runs
    assert [] == store.list(keys.RUNS)


def test_what_a_dead_process_has_put_away_is_deleted(home: Home) -> None:
    folder = Path(FileStore(home.store_url).path(keys.RUNS)) / ".gone.r0"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text("{}")
    flyte.prune()
    assert not folder.exists()


def test_days_are_not_below_zero() -> None:
    with pytest.raises(flyte.errors.ConfigValueError, match="a number from 0 on"):
        flyte.prune(-1)


def test_code_is_sent_again_after_some_hours(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(home.store_url)
    flyte.run(old, 1)
    [digest] = _codes(store)
    path = store.path(keys.code(digest))
    os.utime(path, (0, 0))
    flyte.run(old, 2)
    assert 0 == os.stat(path).st_mtime
    later = time.time() + 7 * 3600
    monkeypatch.setattr("flyte_jupyter.engine.engine.time.time", lambda: later)
    flyte.submit(old, 3).wait()
    assert os.stat(path).st_mtime > 0
