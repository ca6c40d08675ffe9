"""Who may start now."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_jupyter.host.machine.admission import SLOTS_VARIABLE, Admission, Claim, Grant, default_slots

GIB = 2**30


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Queue:
    """Pods that want to start; those that may, in the order they did."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.got: list[str] = []
        self.grants: dict[str, Grant] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, *names: str, **asked: Any) -> None:
        for name in names:
            asked.setdefault("most_cores", asked.get("cores", 0.0))
            self.tasks[name] = asyncio.ensure_future(self._acquire(Claim(name=name, **asked)))
        await self.settle()

    async def _acquire(self, claim: Claim) -> None:
        self.grants[claim.name] = await self.admission.acquire(claim)
        self.got.append(claim.name)

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def release(self, *names: str) -> None:
        for name in names:
            self.admission.release(name)
        await self.settle()


def machine(slots: int = 16, cores: int = 4, memory: int = 16 * GIB) -> Queue:
    return Queue(Admission(slots, range(cores), memory=memory))


# --- slots ------------------------------------------------------------------------------------------------------------


@on_a_loop
async def test_as_many_as_there_are_slots() -> None:
    queue = machine(slots=2)
    await queue.want("a", "b", "c")
    assert (["a", "b"], "<Admission [2 of 2 slots busy, 1 waiting]>") == (queue.got, repr(queue.admission))
    await queue.release("a")
    assert (["a", "b", "c"], "<Admission [2 of 2 slots busy, 0 waiting]>") == (queue.got, repr(queue.admission))
    await queue.release("b", "c")
    assert "<Admission [0 of 2 slots busy, 0 waiting]>" == repr(queue.admission)


@on_a_loop
async def test_first_come_first_served() -> None:
    queue = machine(slots=1)
    await queue.want("a", "b", "c", "d")
    for name in ("a", "b", "c", "d"):
        await queue.release(name)
    assert ["a", "b", "c", "d"] == queue.got


@on_a_loop
async def test_who_comes_later_does_not_overtake() -> None:
    queue = machine(slots=1)
    await queue.want("a", "b")
    queue.admission.release("a")  # "b" is admitted, and has not run yet
    await queue.want("c")
    assert ["a", "b"] == queue.got


@on_a_loop
async def test_a_parent_that_waits_holds_no_slot() -> None:
    queue = machine(slots=1)
    await queue.want("parent", "child")
    assert ["parent"] == queue.got
    queue.admission.opened("parent")
    await queue.settle()
    assert (["parent", "child"], 1) == (queue.got, queue.admission.busy)
    await queue.want("other")
    queue.admission.release("child")
    queue.admission.closed("parent")
    await queue.settle()
    assert 2 >= queue.admission.busy
    await queue.release("parent")
    assert ["parent", "child", "other"] == queue.got


@pytest.mark.parametrize("depth", [1, 5, 50])
@on_a_loop
async def test_nesting_never_comes_to_a_standstill(depth: int) -> None:
    queue = machine(slots=1)
    for level in range(depth):
        if level:
            queue.admission.opened(f"p{level - 1}")
        await queue.want(f"p{level}", cores=4.0, memory=16 * GIB)
    assert [f"p{level}" for level in range(depth)] == queue.got
    assert 1 == queue.admission.busy


@on_a_loop
async def test_a_parent_of_several_is_back_when_all_have_ended() -> None:
    admission = Admission(3)
    await admission.acquire(Claim(name="parent"))
    admission.opened("parent")
    admission.opened("parent")
    admission.closed("parent")
    assert 0 == admission.busy
    admission.closed("parent")
    assert 1 == admission.busy


@on_a_loop
async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    queue = machine(slots=1)
    await queue.want("a", "b", "c")
    queue.tasks["b"].cancel()
    await queue.settle()
    assert "<Admission [1 of 1 slots busy, 1 waiting]>" == repr(queue.admission)
    await queue.release("a")
    assert ["a", "c"] == queue.got


@on_a_loop
async def test_who_gives_up_in_the_moment_of_getting_a_slot_passes_it_on() -> None:
    queue = machine(slots=1)
    await queue.want("a", "b", "c")
    queue.admission.release("a")  # "b" is admitted, and has not run yet
    queue.tasks["b"].cancel()
    await queue.settle()
    assert (["a", "c"], 1) == (queue.got, queue.admission.busy)


@on_a_loop
async def test_who_gives_up_in_the_moment_before_gets_nothing() -> None:
    queue = machine(slots=1)
    await queue.want("a", "b", "c")
    queue.tasks["b"].cancel()
    queue.admission.release("a")  # "b" is about to give up
    await queue.settle()
    assert (["a", "c"], 1) == (queue.got, queue.admission.busy)


@on_a_loop
async def test_releasing_what_was_not_held_is_harmless() -> None:
    admission = Admission(1)
    admission.release("nobody")
    await admission.acquire(Claim(name="a"))
    admission.release("nobody")
    assert 1 == admission.busy


@pytest.mark.parametrize(("given", "expected"), [("3", 3), ("1", 1)])
def test_the_number_can_be_given(monkeypatch: pytest.MonkeyPatch, given: str, expected: int) -> None:
    monkeypatch.setenv(SLOTS_VARIABLE, given)
    assert expected == default_slots()


@pytest.mark.parametrize("given", ["", "0", "-1", "many", "1.5"])
def test_what_is_no_number_counts_as_not_given(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.delenv(SLOTS_VARIABLE, raising=False)
    expected = default_slots()
    monkeypatch.setenv(SLOTS_VARIABLE, given)
    assert expected == default_slots() >= 16


# --- cores and memory -------------------------------------------------------------------------------------------------


@on_a_loop
async def test_as_many_as_there_are_cores() -> None:
    queue = machine(cores=4)
    await queue.want("a", "b", "c", cores=2.0)
    assert ["a", "b"] == queue.got
    assert queue.grants["a"].cores == {0, 1}
    assert queue.grants["b"].cores == {2, 3}
    assert "waits for 2 cores; 0 of 4 free" == queue.admission.why("c")
    await queue.release("a")
    assert queue.grants["c"].cores == {0, 1}


@on_a_loop
async def test_fractions_add_up() -> None:
    queue = machine(cores=1)
    await queue.want(*"abcdefghijk", cores=0.1)
    assert list("abcdefghij") == queue.got
    await queue.release("a")
    assert "k" == queue.got[-1]


@on_a_loop
async def test_as_much_memory_as_there_is() -> None:
    queue = machine(memory=16 * GIB)
    await queue.want("a", "b", memory=10 * GIB)
    assert ["a"] == queue.got
    assert "waits for 10.00 GiB of memory; 6.00 GiB of 16.00 GiB free" == queue.admission.why("b")
    await queue.want("c", cores=1.0)
    assert ["a", "c"] == queue.got
    await queue.release("a")
    assert ["a", "c", "b"] == queue.got


@on_a_loop
async def test_everything_that_lacks_is_told() -> None:
    queue = machine(cores=2, memory=GIB)
    await queue.want("a", cores=1.5, memory=GIB)
    await queue.want("b", title="second", cores=1.0, memory=GIB)
    expected = "waits for 1 core; 0.5 of 2 free, and for 1.00 GiB of memory; 0 MiB of 1.00 GiB free"
    assert expected == queue.admission.why("b")
    await queue.want("c", cores=0.5)
    assert ("waits its turn after second", "") == (queue.admission.why("c"), queue.admission.why("a"))


@on_a_loop
async def test_who_asks_for_nothing_takes_a_slot_alone() -> None:
    queue = machine(slots=3, cores=1)
    await queue.want("a", "b", cores=1.0)
    await queue.want("c", "d", "e")
    assert ["a", "c", "d"] == queue.got
    assert ("waits for 1 core; 0 of 1 free", "waits for a slot; all 3 are taken") == (
        queue.admission.why("b"),
        queue.admission.why("e"),
    )
    await queue.release("a")
    assert ["a", "c", "d", "b"] == queue.got


@on_a_loop
async def test_small_ones_do_not_starve_a_big_one() -> None:
    queue = machine(cores=4)
    await queue.want("s0", "s1", "s2", "s3", cores=1.0)
    await queue.want("big", cores=4.0)
    await queue.want("s4", "s5", cores=1.0)
    await queue.release("s0", "s1", "s2")
    assert ["s0", "s1", "s2", "s3"] == queue.got
    await queue.release("s3")
    assert "big" == queue.got[-1]
    await queue.release("big")
    assert ["s4", "s5"] == queue.got[-2:]


@on_a_loop
async def test_what_a_big_one_asks_for_besides_is_kept_for_it_too() -> None:
    """Else memory would be gone when the cores come free, and then the cores again."""
    queue = machine(cores=2, memory=GIB)
    await queue.want("a", cores=2.0)
    await queue.want("big", cores=2.0, memory=GIB)
    await queue.want("b", memory=GIB)
    assert ["a"] == queue.got
    await queue.release("a")
    assert ["a", "big"] == queue.got


@on_a_loop
async def test_bigger_than_the_machine_is_alone_on_it() -> None:
    queue = machine(cores=2, memory=GIB)
    await queue.want("small", cores=1.0)
    await queue.want("huge", cores=64.0, memory=64 * GIB)
    assert ["small"] == queue.got
    assert "waits for 2 cores; 1 of 2 free" == queue.admission.why("huge")
    await queue.release("small")
    assert frozenset({0, 1}) == queue.grants["huge"].cores
    await queue.want("next", cores=0.5)
    assert ["small", "huge"] == queue.got


@on_a_loop
async def test_memory_of_a_parent_that_waits_counts_while_others_fit_beside_it() -> None:
    queue = machine(memory=16 * GIB)
    await queue.want("parent", memory=6 * GIB)
    queue.admission.opened("parent")
    await queue.want("a", "b", memory=6 * GIB, parent="parent")
    assert ["parent", "a"] == queue.got
    await queue.release("a")
    assert ["parent", "a", "b"] == queue.got
    await queue.release("b")
    await queue.want("large", memory=12 * GIB)  # beside the parent it would never fit
    assert "large" == queue.got[-1]


# --- accelerators -----------------------------------------------------------------------------------------------------


@on_a_loop
async def test_accelerators_are_handed_out_one_by_one() -> None:
    queue = machine()
    await queue.want("a", "b", "c", accelerators=1, pool=("0", "1"))
    assert [("0",), ("1",)] == [queue.grants[name].accelerators for name in queue.got]
    assert "waits for 1 GPU; 0 of 2 free" == queue.admission.why("c")
    await queue.release("b")
    assert Grant(accelerators=("1",)) == queue.grants["c"]


@on_a_loop
async def test_everyone_has_a_pool_of_its_own() -> None:
    queue = machine()
    await queue.want("a", accelerators=2, pool=("0", "1"))
    await queue.want("b", accelerators=2, pool=("2", "3"))
    assert ["a", "b"] == queue.got
    await queue.want("c", accelerators=2, pool=("1", "4", "5"))
    assert ("4", "5") == queue.grants["c"].accelerators


@on_a_loop
async def test_more_accelerators_than_there_are() -> None:
    queue = machine()
    await queue.want("a", accelerators=8, pool=("0", "1"))
    await queue.want("b", accelerators=1, pool=())
    assert [("0", "1"), ()] == [queue.grants[name].accelerators for name in "ab"]


@on_a_loop
async def test_a_child_shares_with_its_parent_when_nothing_else_is_there() -> None:
    queue = machine()
    await queue.want("parent", accelerators=1, pool=("0", "1"))
    queue.admission.opened("parent")
    await queue.want("first", accelerators=1, pool=("0", "1"), parent="parent")
    queue.admission.opened("parent")
    await queue.want("second", accelerators=1, pool=("0", "1"), parent="parent")
    assert Grant(accelerators=("1",)) == queue.grants["first"]
    assert Grant(accelerators=("0",), shared=("0",)) == queue.grants["second"]


@on_a_loop
async def test_accelerators_of_strangers_who_wait_are_the_last_resort() -> None:
    queue = machine()
    pool = ("0", "1")
    await queue.want("p1", "p2", accelerators=1, pool=pool)
    queue.admission.opened("p1")
    await queue.want("c1", accelerators=2, pool=pool, parent="p1")
    assert "waits for 2 GPUs; 0 of 2 free" == queue.admission.why("c1")  # "p2" goes on, and will end
    queue.admission.opened("p2")
    await queue.settle()
    assert Grant(accelerators=("0", "1"), shared=("0", "1")) == queue.grants["c1"]


# --- whatever comes ---------------------------------------------------------------------------------------------------


class Tree:
    """A random tree of pods: what each asks for, and when it calls the next."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self.parents: dict[str, str | None] = {}
        self.claims: dict[str, Claim] = {}
        for number in range(size):
            name = f"n{number}"
            parent = chance.choice([None, *self.claims])
            self.parents[name] = parent
            self.claims[name] = Claim(
                name=name,
                parent=parent,
                cores=chance.choice([0, 0, 0.5, 1, 2, 3, 100]),
                most_cores=3,
                memory=chance.choice([0, 0, 1, 5, 10, 1000]),
                accelerators=chance.choice([0, 0, 0, 1, 2, 9]),
                pool=("0", "1"),
            )


class World:
    """Pods that run, call what is below them and end, in any order; a parent ends when its children have."""

    def __init__(self, chance: random.Random, tree: Tree, slots: int) -> None:
        self.chance = chance
        self.tree = tree
        self.queue = Queue(Admission(slots, range(3), memory=10))
        self.uncalled = {name: [c for c, p in tree.parents.items() if p == name] for name in tree.parents}
        self.open: dict[str, set[str]] = {name: set() for name in tree.parents}
        self.running: set[str] = set()
        self.ended: set[str] = set()

    def start(self, name: str) -> None:
        parent = self.tree.parents[name]
        if parent is not None:
            self.queue.admission.opened(parent)
            self.open[parent].add(name)
        claim = self.tree.claims[name]
        self.queue.tasks[name] = asyncio.ensure_future(self.queue._acquire(claim))

    async def run(self) -> None:
        for name, parent in self.tree.parents.items():
            if parent is None:
                self.start(name)
        while len(self.ended) < len(self.tree.parents):
            await self.queue.settle()
            self.running = set(self.queue.got) - self.ended
            self.check()
            able = sorted(name for name in self.running if self.uncalled[name] or not self.open[name])
            assert able, f"a standstill: {self.queue.admission!r}, {len(self.ended)} ended"
            self.step(self.chance.choice(able))

    def step(self, name: str) -> None:
        if self.uncalled[name] and self.chance.random() < 0.8:
            self.start(self.uncalled[name].pop())
        elif not self.open[name]:
            self.queue.admission.release(name)
            self.ended.add(name)
            for child in self.uncalled[name]:  # never called
                self.drop(child)
            parent = self.tree.parents[name]
            if parent is not None:
                self.open[parent].discard(name)
                self.queue.admission.closed(parent)

    def drop(self, name: str) -> None:
        self.ended.add(name)
        for child in self.uncalled[name]:
            self.drop(child)

    def check(self) -> None:
        """Those that do not wait for a child stay within what there is, but for those that a parent's return adds."""
        active = [name for name in self.running if not self.open[name]]
        if any(self.uncalled[name] or self.tree.parents[name] for name in self.tree.parents):
            return  # a parent that goes on does not wait again
        cut = [self.queue.admission.fitted(self.tree.claims[name]) for name in active]
        assert len(active) <= self.queue.admission.slots
        assert sum(claim.cores for claim in cut) <= 3 + 1e-6
        assert sum(claim.memory for claim in cut) <= 10
        devices = [device for name in active for device in self.queue.grants[name].accelerators]
        assert len(devices) == len(set(devices))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 40), st.integers(1, 5))
def test_everything_ends_whatever_calls_whatever(seed: int, size: int, slots: int) -> None:
    chance = random.Random(seed)
    world = World(chance, Tree(chance, size), slots)
    asyncio.run(world.run())
    assert 0 == world.queue.admission.busy
    assert "<Cores {0: 0.0, 1: 0.0, 2: 0.0}>" == repr(world.queue.admission._cores)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 30), st.integers(1, 5))
def test_without_nesting_nobody_gets_what_is_not_there(seed: int, size: int, slots: int) -> None:
    chance = random.Random(seed)
    tree = Tree(chance, size)
    tree.parents = dict.fromkeys(tree.parents)
    tree.claims = {name: Claim(**{**vars(claim), "parent": None}) for name, claim in tree.claims.items()}
    asyncio.run(World(chance, tree, slots).run())
