"""Results that are kept: what is told of them, and which go first."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.store import Store, cached, keys, open_store

DAY = 86400.0


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri() if request.param == "file" else f"memory://{uuid.uuid4().hex}")


def keep(
    store: Store, task: str = "e.t", inputs: str = "i1", version: str = "v1", at: float = 1.0, size: int = 10
) -> str:
    key = keys.cached(task, inputs, version)
    store.put("runs/r1/kept", [b"x" * (size - 1), b"y"])
    cached.keep(store, key, "runs/r1/kept", size, {"task": task, "created": at, "version": version})
    return key


def kept(store: Store, task: str | None = None) -> list[str]:
    return sorted(each.key for each in cached.kept(store, task))


def test_what_is_kept_is_there_with_what_is_told_of_it(store: Store) -> None:
    key = keep(store, at=5.0, size=10)
    assert b"xxxxxxxxxy" == bytes(store.get(key))
    (found,) = cached.kept(store)
    assert (key, cached.Use(5.0, 5.0, 10), "e.t") == (found.key, found.use, found.about["task"])


def test_a_result_takes_the_place_of_an_older_one(store: Store) -> None:
    keep(store, at=1.0, size=10)
    keep(store, at=2.0, size=20)
    assert [cached.Use(2.0, 2.0, 20)] == [each.use for each in cached.kept(store)]


def test_of_one_task(store: Store) -> None:
    mine, other = keep(store, "e.mine"), keep(store, "e.other")
    assert ([mine], [other], sorted([mine, other])) == (kept(store, "e.mine"), kept(store, "e.other"), kept(store))
    assert [] == kept(store, "e.absent")


@pytest.mark.parametrize("task", ["e.größe", "e." + "x" * 300, "e.<lambda>", "../e"])
def test_every_name_of_a_task_has_a_folder(store: Store, task: str) -> None:
    assert [keep(store, task)] == kept(store, task)


def test_the_last_one(store: Store) -> None:
    assert None is cached.last_of(store, "e.t")
    assert None is cached.last_for(store, "e.t", "i1")
    keep(store, inputs="i1", version="v1", at=1.0)
    keep(store, inputs="i1", version="v2", at=3.0)
    keep(store, inputs="i2", version="v3", at=4.0)
    keep(store, inputs="i1", version="v0", at=2.0)
    assert "v2" == (cached.last_for(store, "e.t", "i1") or {})["version"]
    assert "v3" == (cached.last_of(store, "e.t") or {})["version"]


def test_no_more_than_the_last_one_is_noted(store: Store) -> None:
    for at in range(5):
        keep(store, inputs=f"i{at}", at=float(at))
    assert 1 == len(store.list(keys.newest("e.t")))


def test_the_last_one_is_gone(store: Store) -> None:
    cached.remove(store, keep(store))
    assert None is cached.last_of(store, "e.t")
    assert [] == kept(store)


def test_use_is_noted_now_and_then(store: Store) -> None:
    key = keep(store, at=0.0)
    cached.note_use(store, key, 60.0)
    assert [0.0] == [each.use.used for each in cached.kept(store)]
    cached.note_use(store, key, 3600.0)
    assert [cached.Use(0.0, 3600.0, 10)] == [each.use for each in cached.kept(store)]
    cached.note_use(store, "cache/e.t/absent/absent", 3600.0)
    assert [key] == kept(store)


def test_clearing(store: Store) -> None:
    mine, other = keep(store, "e.mine"), keep(store, "e.other")
    keep(store, "e.mine", inputs="i2")
    assert 2 == cached.clear(store, "e.mine")
    assert [other] == kept(store)
    with pytest.raises(KeyError):
        store.get(mine)
    assert (1, 0) == (cached.clear(store), cached.clear(store))


def test_what_was_not_used_for_long_goes(store: Store) -> None:
    old, used, new = (keep(store, inputs=name, at=at) for name, at in (("a", 0.0), ("b", 0.0), ("c", 9 * DAY)))
    cached.note_use(store, used, 8 * DAY)
    assert 1 == cached.prune(store, most_bytes=1000, most_age=5 * DAY, now=10 * DAY)
    assert sorted([used, new]) == kept(store)
    with pytest.raises(KeyError):
        store.get(old)


def test_what_does_not_fit_goes_the_least_recently_used_first(store: Store) -> None:
    for name, at, size in (("a", 1.0, 40), ("b", 2.0, 40), ("c", 3.0, 40), ("huge", 4.0, 500)):
        keep(store, inputs=name, at=at, size=size)
    assert 2 == cached.prune(store, most_bytes=100, most_age=DAY, now=5.0)
    assert [keys.cached("e.t", name, "v1") for name in "bc"] == kept(store)


def test_nothing_has_to_go(store: Store) -> None:
    keep(store)
    assert 0 == cached.prune(store, most_bytes=10, most_age=DAY, now=5.0)
    assert 1 == len(kept(store))


def test_what_a_writer_has_left_goes_after_a_while(store: Store) -> None:
    key = keep(store, at=0.0)
    store.delete(key)
    cached.prune(store, most_bytes=100, most_age=DAY, now=60.0)
    assert 2 == len(store.list(keys.cached_for("e.t", "i1")))
    cached.prune(store, most_bytes=100, most_age=DAY, now=2 * 3600.0)
    assert [] == store.list(keys.cached_for("e.t", "i1"))


@pytest.mark.parametrize("damage", [b"", b"[", b"[1]", b'"a"', b"{}"])
def test_damaged_notes_are_no_harm(store: Store, damage: bytes) -> None:
    key = keep(store)
    for name in (".json", ".use"):
        store.put(key + name, [damage])
    assert [(key, {})] == [(each.key, each.about) for each in cached.kept(store)]
    assert None is cached.last_of(store, "e.t")
    cached.note_use(store, key, 1e9)
    cached.prune(store, most_bytes=100, most_age=DAY, now=2 * DAY)  # when it was used is not known any more
    assert [] == kept(store)


def test_others_lie_there_too(store: Store) -> None:
    """Whatever is put there by hand."""
    store.put("cache/note", [b"hello"])
    store.put("cache/e.t/note", [b"hello"])
    keep(store)
    about: list[Any] = [each.about for each in cached.kept(store)]
    assert 1 == len(about)
