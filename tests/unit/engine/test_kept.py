"""What is read back of an action that has ended."""

from __future__ import annotations

import pytest

from flyte_jupyter.engine.kept import tail
from flyte_jupyter.host.logs import written
from flyte_jupyter.store import keys
from flyte_jupyter.store.memory import MemoryStore


@pytest.mark.parametrize("number", [0, 1, 4, 5, 6, 1000])
def test_of_a_long_log_the_last_lines(number: int) -> None:
    lines = [(float(i), "stdout", f"line {i}") for i in range(number)]
    store = MemoryStore.at("memory://kept")
    store.put(keys.log("r1", "a0", 0), [written(lines)])
    start = max(0, number - 5)
    assert (start, lines[start:]) == tail(store, "r1", "a0", 0, 5)
    assert (0, []) == tail(store, "r1", "a0", 1, 5)
