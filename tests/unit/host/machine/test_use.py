"""What processes use, read of real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flyte_jupyter.host.machine.use import Use, _of_tree_elsewhere, use_of
from tests.conftest import eventually

WORK = """
import subprocess, sys, time
ballast = b"x" * (40 << 20)
child = subprocess.Popen([sys.executable, "-c", "ballast = b'x' * (60 << 20); i = 0\\nwhile True: i += 1"])
print("ready", flush=True)
time.sleep(60)
"""


def test_a_process_and_what_it_has_started() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as it:
        assert it.stdout is not None
        it.stdout.readline()

        def used() -> Use:
            found = use_of(it.pid, {})
            assert found is not None
            return found

        try:
            eventually(lambda: used().memory > 100 << 20)
            begin = used().cpu
            eventually(lambda: used().cpu > begin + 0.3)  # of the child, which computes
            elsewhere = _of_tree_elsewhere(it.pid)
            assert elsewhere is not None
            assert elsewhere.memory > 100 << 20
        finally:
            subprocess.run([sys.executable, "-c", f"import os; os.killpg({it.pid}, 9)"], check=True)
    assert use_of(it.pid, {}) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "memory.current": "900\n",
                "memory.stat": "anon 1\ninactive_file 100\n",
                "cpu.stat": "usage_usec 2500000\n",
            },
            2.5,
        ),
        (
            {
                "memory.usage_in_bytes": "900\n",
                "memory.stat": "total_inactive_file 100\n",
                "cpuacct.usage": "2500000000\n",
            },
            2.5,
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_a_control_group(tmp_path: Path, files: dict[str, str], expected: float) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert Use(expected, 800) == use_of(2**30, {"memory": tmp_path, "cpu": tmp_path})


def test_what_a_group_does_not_say_is_read_from_the_processes(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("5\n")
    import os

    found = use_of(os.getpid(), {"memory": tmp_path})
    assert found is not None
    assert (5, True) == (found.memory, found.cpu > 0)
