"""Control groups: where they are, in samples of what kernels say; what they do, in this kernel where it allows them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flyte_jupyter.host.machine.cgroup_trees import Tree, trees

ROOT = Path(__file__).parents[4]


def run(program: str) -> list[str]:
    """What a program prints, line by line. It is a process of its own, since looking for groups may move it."""
    done = subprocess.run(
        [sys.executable, "-c", _HEAD + textwrap.dedent(program)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


_HEAD = """
import asyncio, os, signal, subprocess, sys, time
from pathlib import Path
from flyte_jupyter.host.machine.cgroups import Groups

groups = Groups.find()
ALLOCATE = "x = []\\nwhile True: x.append(bytes(2**20))"

async def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)

def started(program):
    # it goes into a group of its own, and waits for a line before it does anything else
    group = groups.prepare()
    head = "import sys; from flyte_jupyter.host.machine.cgroup_trees import join; print(join(sys.argv[1:]), flush=True)"
    command = [sys.executable, "-c", f"{head}\\ninput()\\n{program}", *group.entries]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "True\\n" == process.stdout.readline()
    return process, group

def go(process):
    process.stdin.write("\\n")
    process.stdin.flush()
"""


def offered() -> str:
    return run("print(groups.has_memory, groups.has_cpu)")[0]


OFFERED = offered()
WITH_MEMORY = pytest.mark.skipif(not OFFERED.startswith("True"), reason="no control groups for memory can be made here")
WITH_CPU = pytest.mark.skipif(not OFFERED.endswith("True"), reason="no control groups for the CPU can be made here")


# --- where they are ---------------------------------------------------------------------------------------------------

V1 = (
    """\
12:memory:/user.slice/user-1000.slice
4:cpu,cpuacct:/
1:name=systemd:/user.slice
0::/user.slice
""",
    """\
24 19 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
25 24 0:23 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw
30 24 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:7 - cgroup cgroup rw,memory
31 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:8 - cgroup cgroup rw,cpu,cpuacct
""",
)
V2 = "0::/user.slice/app.scope\n", "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
IN_A_CONTAINER = (
    """\
5:memory:/docker/0123
""",
    """\
40 30 0:27 /docker/0123 /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
""",
)
NAMESPACE = "0::/\n", "30 23 0:26 / /with\\040space/cgroup rw - cgroup2 cgroup rw\n"
ELSEWHERE = "0::/../other\n", V2[1]


def tree(version: int, controllers: str, own: str, top: str) -> Tree:
    return Tree(version, frozenset(controllers.split()), Path(own), Path(top))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            V1,
            [
                tree(1, "memory", "/sys/fs/cgroup/memory/user.slice/user-1000.slice", "/sys/fs/cgroup/memory"),
                tree(1, "cpu cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"),
                tree(2, "", "/sys/fs/cgroup/unified/user.slice", "/sys/fs/cgroup/unified"),
            ],
        ),
        (V2, [tree(2, "", "/sys/fs/cgroup/user.slice/app.scope", "/sys/fs/cgroup")]),
        (IN_A_CONTAINER, [tree(1, "memory", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory")]),
        (NAMESPACE, [tree(2, "", "/with space/cgroup", "/with space/cgroup")]),
        (ELSEWHERE, []),
        (("", ""), []),
    ],
    ids=["v1", "v2", "container", "namespace", "out of sight", "none"],
)
def test_where_our_group_is(said: tuple[str, str], expected: list[Tree]) -> None:
    assert expected == trees(*said)


# --- what they do -----------------------------------------------------------------------------------------------------


@WITH_MEMORY
def test_what_needs_too_much_is_killed_and_counted() -> None:
    lines = run("""
        async def main():
            process, group = started(ALLOCATE)
            group.bound(memory=64 * 2**20)
            go(process)
            code = await asyncio.to_thread(process.wait)
            use = group.use()
            print(code, use.killed, use.at_limit, use.peak is None or 60 * 2**20 < use.peak <= 64 * 2**20)
            groups.close(group)
            print(use == group.use())
        asyncio.run(main())
    """)
    assert ["-9 True True True", "True"] == lines


@WITH_MEMORY
def test_all_processes_count_together_and_end_together() -> None:
    (line,) = run("""
        PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ALLOCATE!r}]); input()"
        async def main():
            process, group = started(PARENT)
            group.bound(memory=64 * 2**20)
            go(process)
            print(await asyncio.to_thread(process.wait), group.use().killed)
            groups.close(group)
        asyncio.run(main())
    """)
    assert "-9 True" == line


@WITH_MEMORY
def test_what_is_enough_is_enough() -> None:
    (line,) = run("""
        async def main():
            process, group = started("x = b'x' * (32 * 2**20)")
            group.bound(memory=128 * 2**20)
            go(process)
            print(await asyncio.to_thread(process.wait), group.use().killed, group.use().at_limit)
            groups.close(group)
        asyncio.run(main())
    """)
    assert "0 False False" == line


@WITH_MEMORY
def test_swap_does_not_hide_the_limit() -> None:
    (line,) = run("""
        async def main():
            process, group = started("")
            group.bound(memory=64 * 2**20)
            folder = group.folders["memory"]
            bound = {"memory.memsw.limit_in_bytes": str(64 * 2**20), "memory.swap.max": "0"}
            found = [path.read_text().strip() == bound[path.name] for path in folder.iterdir() if path.name in bound]
            print(all(found), Path("/proc/swaps").read_text().count("\\\\n") < 2 or bool(found))
            go(process)
            await asyncio.to_thread(process.wait)
            groups.close(group)
        asyncio.run(main())
    """)
    assert "True True" == line


@WITH_CPU
def test_a_part_of_a_core_is_a_part_of_a_core() -> None:
    """The kernel counts how often it has held the process back."""
    (line,) = run("""
        async def main():
            process, group = started("while True: pass")
            group.bound(cores=0.1)
            go(process)
            stat = group.folders["cpu"] / "cpu.stat"
            await until(lambda: int(dict(line.split() for line in stat.read_text().splitlines())["nr_throttled"]) > 0)
            group.end()
            print(await asyncio.to_thread(process.wait))
            groups.close(group)
        asyncio.run(main())
    """)
    assert "-9" == line


@WITH_MEMORY
def test_groups_are_removed_at_the_end_with_what_is_in_them() -> None:
    lines = run("""
        async def main():
            process, group = started("import time; time.sleep(60)")
            group.bound(memory=64 * 2**20, cores=0.5)
            folders = group._places()
            print(all(folder.is_dir() for folder in folders))
            groups.close(group)
            await until(lambda: not any(folder.exists() for folder in folders))
            print(process.wait())
            another, left = started("import time; time.sleep(60)")
            groups.end()
            print(another.wait(), [folder for folder in left._places() if folder.exists()])
        asyncio.run(main())
    """)
    assert ["True", "-9", "-9 []"] == lines


@WITH_MEMORY
def test_groups_of_a_host_that_is_gone_are_removed_by_the_next() -> None:
    lines = run("""
        async def main():
            process, group = started("")
            group.bound(memory=64 * 2**20)
            print(*group._places(), flush=True)
            go(process)
            process.wait()
            os._exit(0)
        asyncio.run(main())
    """)
    left = [Path(place) for place in lines[0].split()]
    assert all(place.is_dir() for place in left)
    run("")
    assert not any(place.exists() for place in left)


@WITH_MEMORY
def test_groups_of_a_host_that_lives_are_left_alone() -> None:
    (line,) = run("""
        async def main():
            process, group = started("")
            group.bound(memory=64 * 2**20)
            another = "from flyte_jupyter.host.machine.cgroups import Groups; Groups.find()"
            subprocess.run([sys.executable, "-c", another], check=True)
            go(process)
            process.wait()
            print(all(folder.is_dir() for folder in group._places()))
            groups.close(group)
        asyncio.run(main())
    """)
    assert "True" == line


@WITH_MEMORY
def test_where_none_can_be_made_any_more_there_is_none() -> None:
    lines = run("""
        groups._parents = {"memory": Path("/sys/fs/cgroup/not/there")}
        print(groups.prepare(), groups._open)
    """)
    assert ["None set()"] == lines


def test_without_control_groups_there_are_none(tmp_path: Path) -> None:
    """As on macOS, or in a container that has them read-only."""
    program = """
        import flyte_jupyter.host.machine.cgroups as module
        def unreadable():
            raise FileNotFoundError
        module.trees_of_this_process = unreadable
        none = Groups.find()
        print(none.has_memory, none.has_cpu, none.prepare(), none)
    """
    assert ["False False None <Groups none>"] == run(program)
