"""What a card says of results that were kept from earlier calls."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card, tables
from flyte_jupyter.notebook.cells.places import readable
from tests.unit.notebook.views import SUCCEEDED, T, action, view

HIT = {"is_cached": True, "cache": "stored 3 h ago by run r1"}
MISS = {"is_cached": False, "cache": '`scale` changed in File "/tmp/ipykernel_1/2.py", line 3'}


def of(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return view(actions=list(actions), **more)


def root(**more: Any) -> dict[str, Any]:
    return action("a0", None, "succeeded", SUCCEEDED, title="train", **more)


def test_a_hit_says_where_it_is_from() -> None:
    shown = of(root(**HIT))
    assert "Cache hit</span> stored 3 h ago by run r1" in card.html(shown, now=T)
    text = card.text(shown, now=T).splitlines()
    assert "✓ train succeeded from the cache in 1.3 s [r-1]" == text[0]
    assert "  cache hit: stored 3 h ago by run r1" in text


def test_a_miss_says_why() -> None:
    shown = of(root(**MISS))
    assert "Cache miss</span> <code>scale</code> changed in " in card.html(shown, now=T)
    assert '  cache miss: `scale` changed in File "/tmp/ipykernel_1/2.py", line 3' in card.text(shown, now=T)


def test_others_say_nothing() -> None:
    shown = card.html(of(root()), now=T) + card.text(of(root(cache="", is_cached=False)), now=T)
    assert "cache" not in shown.lower().replace("</style>", "").partition("<strong")[2]


def test_what_is_said_is_escaped_and_cut() -> None:
    shown = card.html(of(root(is_cached=False, cache="`<b>` changed " + "x" * 1000)), now=T)
    assert "<code>&lt;b&gt;</code> changed" in shown
    assert "x" * 300 not in shown


@pytest.mark.parametrize("text", ["one ` alone", "`", "", "``", "a `b` c `d"])
def test_odd_back_ticks_lose_nothing(text: str) -> None:
    shown = card.html(of(root(is_cached=False, cache=f"said {text}")), now=T)
    for letter in text.replace("`", "").split():
        assert letter in shown


def test_children() -> None:
    child = action("a1", "a0", "succeeded", SUCCEEDED, **HIT)
    other = action("a2", "a0", "succeeded", SUCCEEDED, **MISS)
    shown = card.html(of(root(), child, other, total=3, cached=1, tasks={"score": {"succeeded": 2}}), now=T)
    assert "1 from the cache" in shown
    assert "from the cache</span>" in shown
    assert "Cache hit: stored 3 h ago by run r1" in shown
    assert "Cache miss: <code>scale</code> changed" in shown


def test_in_a_table_of_runs() -> None:
    made = tables.runs([of(root(**HIT)), of(root())], now=T)
    assert ["✓ succeeded (cached)", "✓ succeeded"] == [
        "✓ succeeded" + line.partition("✓ succeeded")[2].partition("  ")[0]
        for line in made["text/plain"].splitlines()[1:]
    ]
    assert 1 == made["text/html"].count("(cached)")


def test_places_are_named_as_people_know_them() -> None:
    def name_of(file: str) -> str | None:
        return "Cell In[7]" if "ipykernel" in file else None

    elsewhere = {**MISS, "cache": '`scale` changed in File "/home/me/helpers.py", line 3'}
    shown = readable(of(root(**MISS), action("a1", "a0", "succeeded", SUCCEEDED, **elsewhere)), name_of)
    assert ["`scale` changed in Cell In[7], line 3", "`scale` changed in helpers.py, line 3"] == [
        each["cache"] for each in shown["actions"]
    ]
