from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.notebook.cards import logtext


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain", "plain"),
        ("<b>&'\"", "&lt;b&gt;&amp;&#x27;&quot;"),
        ("\x1b[31mred\x1b[0m end", '<span class="fr-red">red</span> end'),
        ("\x1b[1;92mgood", '<span class="fr-bold fr-green">good</span>'),
        ("\x1b[38;5;196mpalette\x1b[39m", '<span class="fr-red">palette</span>'),
        ("\x1b[38;5;12mbright", '<span class="fr-blue">bright</span>'),
        ("\x1b[38;5;208morange", '<span class="fr-yellow">orange</span>'),
        ("\x1b[38;5;250;1mgrey", '<span class="fr-bold fr-white">grey</span>'),
        ("\x1b[38;2;10;200;90mtrue\x1b[m", '<span class="fr-green">true</span>'),
        ("\x1b[38:2::160:32:240mcolons", '<span class="fr-magenta">colons</span>'),
        ("\x1b[38;2;510;0;0mtoo much", '<span class="fr-red">too much</span>'),
        ("\x1b[48;5;196mbehind\x1b[38m", "behind"),
        ("\x1b[38;5m\x1b[38;7;1mhalf", '<span class="fr-bold fr-black">half</span>'),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b[2K\x1b[1Gmoved", "moved"),
        (" 10%\r 50%\r100%\r", "100%"),
        ("bell\x07\x00\x9b null", "bell null"),
        ("evil\u202etxt.e", "eviltxt.e"),
        ("no\ufdd0 \ufffe\U0001ffffone", "no one"),
        ("\x1b[31m<i>", '<span class="fr-red">&lt;i&gt;</span>'),
        ("\x1b[", ""),
        ("abcdefghijklmnop", "abcdefghi…"),
        ("\x1b[31mabcdefghijklmnop", '<span class="fr-red">abcdefghi…</span>'),
    ],
)
def test_coloured(line: str, expected: str) -> None:
    assert expected == logtext.coloured(line, 10)


@given(st.integers(0, 300), st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_each_colour_is_one_of_the_eight(n: int, red: int, green: int, blue: int) -> None:
    of_palette = logtext.coloured(f"\x1b[38;5;{n}mx", 10)
    true = logtext.coloured(f"\x1b[38;2;{red};{green};{blue}mx", 10)
    named = {f'<span class="fr-{colour}">x</span>' for colour in logtext.COLOURS}
    assert {of_palette, true} <= named


@given(st.text(alphabet=st.sampled_from(list("ab<\x1b[]31;m0\r\x07"))), st.integers(1, 12))
def test_normal_form_looks_the_same(line: str, width: int) -> None:
    once = logtext.normal(line, width)
    assert logtext.coloured(once, 1000) == logtext.coloured(line, width)
    assert once == logtext.normal(once, 1000)


def test_what_is_hardly_too_long_is_shown_whole() -> None:
    text = "".join(f"line {n}\n" for n in range(100))
    assert text == logtext.middle(text, len(text) - 5)
    assert "characters left out" in logtext.middle(text, len(text) // 2)
