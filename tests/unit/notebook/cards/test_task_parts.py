"""What a card says of the task itself: trigger, links, report, words."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cards.parts import is_of_the_web
from flyte_jupyter.notebook.cards.shrink import LEVELS, shrink
from tests.unit.notebook.cards.test_card import NOW, Page, page
from tests.unit.notebook.views import STARTED, T, action, view


def anchors(found: Page) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in found.seen if tag == "a"]


def test_links_are_clickable() -> None:
    found = page(view(links=[{"name": "Logs", "uri": "https://logs.example/?run=r-1&x=<y>"}]))
    (anchor,) = anchors(found)
    assert "https://logs.example/?run=r-1&x=<y>" == anchor["href"]
    assert ("_blank", "noopener noreferrer") == (anchor["target"], anchor["rel"])
    assert "Links Logs" in found.text


@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc", "//host/x", "http://[", "x"],
)
def test_only_addresses_of_the_web_are_clickable(uri: str) -> None:
    found = page(view(links=[{"name": "<b>bad</b>", "uri": uri}]))
    assert [] == anchors(found)
    assert f"<b>bad</b>: {uri}" in found.text


def test_addresses_of_the_web() -> None:
    assert is_of_the_web("HTTPS://a.example/b?c=d#e")
    assert not is_of_the_web("https://a.example/\nb")
    assert not is_of_the_web("https://")


def test_a_link_that_failed_says_so() -> None:
    found = page(view(links=[{"name": "Logs", "problem": "KeyError: 'host'"}]))
    assert "Logs: no link, because of KeyError: 'host'" in found.text


def test_actions_that_were_started_have_links_of_their_own() -> None:
    child = action("a1", "a0", "succeeded", STARTED, links=[{"name": "Logs", "uri": "http://logs.example/a1"}])
    found = page(view(actions=[*view()["actions"], child], total=2, tasks={"score": {"succeeded": 1}}))
    assert ["http://logs.example/a1"] == [anchor["href"] for anchor in anchors(found)]


def test_an_address_is_kept_whole_or_not_at_all() -> None:
    given = view(links=[{"name": "Logs", "uri": "https://logs.example/" + "x" * 5000}] * 50)
    for limits in LEVELS:
        kept = shrink(given, limits)["links"]
        assert limits.links == len(kept)
        assert {"an address of 5,021 characters"} == {link["problem"] for link in kept} or not kept


def test_links_as_text() -> None:
    assert "\n  link: Logs https://a.example" in card.text(
        view(links=[{"name": "Logs", "uri": "https://a.example"}]), now=NOW
    )


def test_a_run_says_which_trigger_started_it() -> None:
    told: dict[str, Any] = {"name": "nightly", "at": T, "by_hand": False}
    assert "started by trigger nightly at " in page(view(trigger=told)).text
    assert "started by trigger nightly by hand at " in page(view(trigger={**told, "by_hand": True})).text
    assert "trigger" not in page(view()).text


def test_what_the_task_is_for() -> None:
    said = {"environment": "my_env", "description": "For penguins.", "docs": "Fits <b>it</b>.\n\nTakes an hour."}
    found = page(view(about=said))
    for expected in ("About: Fits <b>it</b>.", "Takes an hour.", "Environment my_env: For penguins."):
        assert expected in found.text
    assert "About" not in page(view()).text


def test_a_task_with_a_name_of_its_own_says_the_full_one_too() -> None:
    assert "Training my_env.train" in page(view(title="Training")).text
    assert "train my_env.train" not in page(view()).text


def test_a_record_of_before_is_shown() -> None:
    old = view()
    for name in ("about", "links", "report", "trigger"):
        old[name] = None
    assert "train" in page(old).text
