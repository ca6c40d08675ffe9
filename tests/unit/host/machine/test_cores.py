"""Which cores an attempt runs on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.host.machine.cores import Cores


def test_neighbours_get_different_cores() -> None:
    cores = Cores(range(4))
    assert [{0, 1}, {2}, {3}] == [cores.take("a", 2, 2), cores.take("b", 1, 1), cores.take("c", 1, 1)]
    cores.give_back("b")
    assert {2} == cores.take("d", 1, 1)


def test_only_cores_that_are_there() -> None:
    assert {3, 7} == Cores([7, 3]).take("a", 2, 2)


def test_fractions_are_put_together() -> None:
    cores = Cores(range(3))
    assert [{0}, {0}, {1}] == [cores.take("a", 0.5, 0.5), cores.take("b", 0.5, 0.5), cores.take("c", 0.25, 0.25)]
    assert {2} == cores.take("d", 1, 1)
    assert {1} == cores.take("e", 0.75, 0.75)


def test_one_and_a_half_is_one_of_its_own_and_a_share_of_another() -> None:
    cores = Cores(range(3))
    assert [{0}, {1}] == [cores.take("a", 0.5, 0.5), cores.take("b", 1, 1)]
    assert {0, 2} == cores.take("c", 1.5, 1.5)


def test_cores_above_the_request_are_shared() -> None:
    cores = Cores(range(4))
    assert {0, 1, 2} == cores.take("a", 1, 3)
    assert {1, 2, 3} == cores.take("b", 3, 3)


def test_more_than_there_is_is_all_there_is() -> None:
    cores = Cores(range(2))
    assert {0, 1} == cores.take("a", 8, 8)
    assert {0, 1} == cores.take("b", 1.5, 1.5)
    assert {1} == cores.take("c", 0.5, 0.5)


def test_who_rests_leaves_his_cores_to_others() -> None:
    cores = Cores(range(2))
    assert {0, 1} == cores.take("a", 2, 2)
    cores.rest("a")
    assert {0} == cores.take("b", 1, 1)
    cores.go_on("a")
    cores.give_back("a")
    assert {1} == cores.take("c", 1, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 5), st.floats(0, 5), st.integers(0, 3)), max_size=60))
def test_what_is_given_back_is_free_again(steps: list[tuple[int, float, float, int]]) -> None:
    cores = Cores(range(4))
    taken: set[str] = set()
    for who, number, more, what in steps:
        name = f"n{who}"
        if what == 0 and name not in taken:
            got = cores.take(name, number, number + more)
            assert 1 <= len(got) <= 4
            assert len(got) >= min(4, int(number))
            taken.add(name)
        elif what == 1:
            cores.give_back(name)
            taken.discard(name)
        elif what == 2:
            cores.rest(name)
        else:
            cores.go_on(name)
    for name in taken:
        cores.give_back(name)
    assert all(abs(load) < 1e-6 for load in cores._load.values())


@given(st.lists(st.integers(1, 3), max_size=6))
def test_whole_cores_are_nobody_elses_as_long_as_there_are_enough(numbers: list[int]) -> None:
    cores = Cores(range(sum(numbers)))
    got = [cores.take(f"n{i}", number, number) for i, number in enumerate(numbers)]
    assert numbers == [len(each) for each in got]
    assert len(set().union(*got)) == sum(numbers)
