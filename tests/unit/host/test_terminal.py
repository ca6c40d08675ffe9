"""Lines that are written over again, as the programs send them."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest

from flyte_jupyter.host.terminal import Terminal


def shown(*texts: str) -> list[str]:
    """All lines, in the end."""
    terminal = Terminal()
    return [line for text in texts for line in terminal.feed(terminal.pull() + text)] + terminal.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a \n\n  b", ["a ", "", "  b"]),
        ("50%\r100%\r\nnext\n", ["100%", "next"]),
        ("\r1\r2\r3", ["3"]),
        ("1\r2\r3\r", ["3"]),
        ("\r10%\r   \r", []),
        ("\r10%\r   \rdone\n", ["done"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\x1b[32mgreen\x1b[0m\n", ["\x1b[32mgreen\x1b[0m"]),
        ("one\n\x1b[Atwo\n", ["one", "two"]),  # lines without a bar are not kept open for what may come
        ("\ra 1\ra 2\nnext\n", ["a 2", "next"]),
    ],
)
def test_what_a_terminal_would_show(text: str, expected: list[str]) -> None:
    assert expected == shown(text)


def test_bars_one_after_the_other_are_told_when_the_next_one_goes_on() -> None:
    terminal = Terminal()
    assert [] == terminal.feed("\r1/2\r2/2\n")
    assert ["2/2"] == terminal.feed("\r0/9\r1/9")
    assert "1/9" == terminal.unfinished


def test_however_it_is_cut_the_lines_are_the_same() -> None:
    text = "start\n\r0%\n\ra\x1b[A\r10%\n\rb\x1b[A\r20%\n\rc\x1b[A\n\nplain\r\nend\n"
    expected = shown(text)
    assert ["start", "20%", "c", "plain", "end"] == [line for line in expected if line]
    for seed in range(200):
        cuts = sorted(random.Random(seed).sample(range(len(text)), 5))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert expected == shown(*pieces)


def test_very_many_bars_are_not_kept_open() -> None:
    terminal = Terminal()
    lines = [line for n in range(100) for line in terminal.feed(f"\r0/{n}\n\r{n}/{n}\x1b[A\n")]
    assert 50 < len(lines)
    assert 25 > len(terminal.unfinished.split("\n"))


NESTED = """
from tqdm import tqdm
for epoch in tqdm(range(3), desc="epochs", mininterval=0, ncols=60):
    for batch in tqdm(range(50), desc="batches", mininterval=0, ncols=60, leave=False):
        pass
print("done")
"""


def test_nested_bars_of_tqdm_are_a_line_each() -> None:
    done = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, check=True)
    printed = done.stderr.decode()
    assert 100 < printed.count("\r")
    lines = shown(*re.findall(r"(?s).{1,40}", printed))
    assert ["epochs: 100%"] == [line[:12] for line in lines]
