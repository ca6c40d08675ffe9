"""`api.py` beside this file is never run: a type checker has to find it right, and each `ignore` in it needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_signatures_are_the_true_ones_for_a_type_checker() -> None:
    api = Path(__file__).with_name("api.py")
    root = api.parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(api)]
    checked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (0, "Success: no issues found in 1 source file\n", "") == (
        checked.returncode,
        checked.stdout,
        checked.stderr,
    )
