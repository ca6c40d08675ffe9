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
        ("\x1b[38;5;196mpalette\x1b[39m", "palette"),
        ("\x1b[38;2;1;31;3mtrue\x1b[m", "true"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b[2K\x1b[1Gmoved", "moved"),
        (" 10%\r 50%\r100%\r", "100%"),
        ("bell\x07\x00\x9b null", "bell null"),
        ("evil\u202etxt.e", "eviltxt.e"),
        ("\x1b[31m<i>", '<span class="fr-red">&lt;i&gt;</span>'),
        ("\x1b[", ""),
        ("abcdefghijklmnop", "abcdefghi…"),
        ("\x1b[31mabcdefghijklmnop", '<span class="fr-red">abcdefghi…</span>'),
    ],
)
def test_coloured(line: str, expected: str) -> None:
    assert expected == logtext.coloured(line, 10)


@given(st.text(alphabet=st.sampled_from(list("ab<\x1b[]31;m0\r\x07"))), st.integers(1, 12))
def test_normal_form_looks_the_same(line: str, width: int) -> None:
    once = logtext.normal(line, width)
    assert logtext.coloured(once, 1000) == logtext.coloured(line, width)
    assert once == logtext.normal(once, 1000)
