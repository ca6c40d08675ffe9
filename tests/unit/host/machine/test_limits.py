"""Memory limits, in processes of their own."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from flyte_jupyter.host.machine.limits import give_more, kills_for_memory, mebibytes, out_of_memory, peak_memory

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="enforced on Linux alone")


def run(program: str) -> list[str]:
    """What a program prints, line by line."""
    program = f"from flyte_jupyter.host.machine.limits import *\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[4], check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


ALLOCATE = """
def allocate(mib):
    try:
        return bool(bytearray(mib * 2**20))
    except MemoryError:
        return False
"""


@LINUX_ONLY
def test_a_task_gets_its_memory_and_no_more() -> None:
    found = run(f"{ALLOCATE}\nbound_memory(128 * 2**20)\nprint(allocate(64), allocate(256), allocate(64))")
    assert ["True False True"] == found


@LINUX_ONLY
def test_what_was_there_before_does_not_count() -> None:
    found = run(f"{ALLOCATE}\nbefore = bytearray(200 * 2**20)\nbound_memory(128 * 2**20)\nprint(allocate(100))")
    assert ["True"] == found


@LINUX_ONLY
def test_lift_gives_room_for_telling_what_happened() -> None:
    found = run(f"{ALLOCATE}\nbound_memory(64 * 2**20)\nprint(allocate(128))\nlift()\nprint(allocate(128))")
    assert ["False", "True"] == found


@LINUX_ONLY
def test_without_a_limit_the_machine_is_the_limit() -> None:
    program = """
import resource
bound_memory(None)
soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
free = next(int(line.split()[1]) * 1024 for line in open("/proc/meminfo") if line.startswith("MemAvailable:"))
print(0.5 * free < soft < free, hard)
"""
    assert [f"True {resource.getrlimit(resource.RLIMIT_DATA)[1]}"] == run(program)


@LINUX_ONLY
def test_a_hard_limit_that_is_there_is_kept() -> None:
    program = """
import resource
hard = 512 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
bound_memory(2**40)
print(resource.getrlimit(resource.RLIMIT_DATA) == (hard, hard))
lift()
print(resource.getrlimit(resource.RLIMIT_DATA) == (hard, hard))
"""
    assert ["True", "True"] == run(program)


@LINUX_ONLY
def test_the_system_takes_the_task_first() -> None:
    assert ["1000"] == run("bound_memory(None)\nprint(open('/proc/self/oom_score_adj').read().strip())")


def test_the_most_memory_that_was_used() -> None:
    before, after = map(int, run("print(peak_memory())\nx = bytearray(b'x') * (200 * 2**20)\nprint(peak_memory())"))
    assert 5 * 2**20 < before  # of the parent, when that was larger
    assert 200 * 2**20 < after < before + 300 * 2**20
    assert peak_memory() > 2**20


@LINUX_ONLY
def test_kills_are_counted_upwards() -> None:
    first, second = kills_for_memory(), kills_for_memory()
    assert (first is None) == (second is None)
    assert (first or 0) <= (second or 0)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 MiB"),
        (2**20, "1 MiB"),
        (1.6 * 2**20, "2 MiB"),
        (2**30 - 2**20, "1023 MiB"),
        (2**30, "1.00 GiB"),
        (2**41, "2.00 TiB"),
    ],
)
def test_sizes_for_people(size: int, expected: str) -> None:
    assert expected == mebibytes(int(size))


@pytest.mark.parametrize(
    ("memory", "expected"), [(2**31, "its limit of 2.00 GiB"), (None, "what was free on this machine")]
)
def test_what_a_user_is_told(memory: int | None, expected: str) -> None:
    first, second = out_of_memory("train", memory).splitlines()
    assert f"train needed more memory than {expected}; it had used " == first[: first.index("used ") + 5]
    assert "Give it more: train.override(resources=flyte.Resources(memory=...))." == second


def test_what_has_a_title_that_is_no_name_is_not_told_to_write_that() -> None:
    assert "Give it more: resources=flyte.Resources(memory=...)." == give_more("kernel: small")
