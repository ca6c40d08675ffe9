from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import html5lib
import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyte_jupyter import markup
from flyte_jupyter.notebook.cards import card, foreign, sections, theme, timeline
from flyte_jupyter.notebook.cards.commands import commands
from flyte_jupyter.notebook.cards.shrink import LEVELS, shrink
from tests.unit.notebook.views import FAILURE, STARTED, SUCCEEDED, T, action, failed, log, view

NOW = T + 5


class Page(HTMLParser):
    """Checks that tags balance and collects what a test asks for."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in markup.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == (self.open.pop() if self.open else None)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.seen)


def page(made: dict[str, Any]) -> Page:
    return Page(card.html(made, now=NOW))


# --- what it says -----------------------------------------------------------------------------------------------------


def test_succeeded() -> None:
    found = page(view(inputs={"alpha": "0.5"}, result={"text": "0.76", "html": None}))
    for expected in ("train", "✓ succeeded", "r-1", "1.3 s", "queued 0.01 s", "start 0.02 s", "alpha = 0.5", "0.76"):
        assert expected in found.text
    assert "as of" not in found.text


def test_as_text() -> None:
    expected = "✓ train succeeded in 1.3 s [r-1]\n  queued 0.01 s · start 0.02 s · run 1.3 s\n  result: 0.76"
    assert expected == card.text(view(result={"text": "0.76", "html": None}), now=NOW)


def test_no_note_is_left_out_of_the_text() -> None:
    notes = [f"{name}: none" for name in ("cpu", "memory", "gpu", "disk", "shm")]
    said = card.text(view(notes=notes), now=NOW)
    assert [] == [note for note in notes if f"  note: {note}\n" not in f"{said}\n"]


def test_a_run_without_any_action_yet() -> None:
    assert "queued" in page(view(phase="queued", actions=[], total=0)).text


def test_saved_while_running_it_says_when() -> None:
    running = view(phase="running", actions=[action("a0", None, "running", STARTED)])
    assert f"as of {timeline.clock(NOW)}" in page(running).text
    assert "run 5.0 s …" in page(running).text


def test_failed_shows_the_traceback() -> None:
    found = page(failed())
    assert "ZeroDivisionError: division by zero" in found.text
    assert "return fit(rows, alpha=alpha)" in found.text


def test_each_attempt_has_its_failure_and_its_log() -> None:
    steps = [*STARTED, ("queued", 0.6, 1), ("running", 1.6, 1), ("succeeded", 2.0, 1)]
    lines = log("first")["lines"] + log("second", attempt=1)["lines"]
    found = page(
        view(
            actions=[action("a0", None, "succeeded", steps, failures={"0": FAILURE})],
            logs={"a0": {"printed": 2, "lines": lines}},
        )
    )
    for expected in (
        "Attempts: 2",
        "Attempt 1 ✗ failed ZeroDivisionError",
        "Attempt 2 ✓ succeeded",
        "first",
        "retry wait 1.0 s",
    ):
        assert expected in found.text


def test_log_says_how_much_is_shown() -> None:
    found = page(view(logs={"a0": log(*(f"line {i}" for i in range(200)), printed=10_000)}))
    assert "Log: showing last 200 of 10,000 lines" in found.text
    assert "line 199" in found.text


def test_children_as_a_tree() -> None:
    children = [
        action("a1", "a0", "succeeded", STARTED, title="outer"),
        action("a2", "a1", "failed", STARTED, title="inner", failures={"0": FAILURE}),
    ]
    made = view(
        actions=[*view()["actions"], *children], total=3, tasks={"outer": {"succeeded": 1}, "inner": {"failed": 1}}
    )
    found = page(made)
    assert "Actions: 2 · 1 succeeded, 1 failed" in found.text
    trees = [i for i, (tag, attrs) in enumerate(found.seen) if tag == "ul" and attrs.get("class") == "fr-tree"]
    assert 2 == len(trees)


def test_parents_in_a_circle_are_listed_once() -> None:
    circle = [action("a1", "a2", "running", STARTED, title="one"), action("a2", "a1", "running", STARTED, title="two")]
    found = page(view(actions=[*view()["actions"], *circle], total=3))
    assert (1, 1) == (found.text.count("one"), found.text.count("two"))


def test_many_children_are_counted_and_the_failed_ones_listed() -> None:
    bad = action("a7", "a0", "failed", STARTED, failures={"0": FAILURE})
    counts = {"score": {"succeeded": 990, "running": 8, "failed": 2}}
    found = page(view(actions=[*view()["actions"], bad], total=1001, tasks=counts))
    assert "score × 1,000:  990 succeeded, 8 running, 2 failed" in found.text
    assert "division by zero" in found.text


def test_configuration_names_the_level() -> None:
    found = page(view(config=[{"name": "retries", "value": "3", "level": "override"}]))
    assert "retries3override" in found.text


def test_why_it_waits() -> None:
    waits = [("queued", 0.0, 0), ("waiting_for_resources", 0.01, 0)]
    why = "waits for 2 cores; 1 of 2 free"
    made = view(
        phase="waiting_for_resources",
        actions=[
            action("a0", None, "waiting_for_resources", waits, reason=why),
            action("a1", "a0", "queued", waits[:1], title="inner", reason="waits in queue 'gpu': 1 of 1 running"),
        ],
        total=2,
    )
    found = page(made)
    assert "waiting 5.0 s …" in found.text
    assert why in found.text
    assert "inner ○ queued waits in queue 'gpu': 1 of 1 running" in found.text
    assert f"\n  {why}" in card.text(made, now=NOW)
    assert why not in page(view(actions=[action("a0", None, "succeeded", SUCCEEDED, reason=why)])).text


def test_what_actions_did_not_get_is_noted_once() -> None:
    child = [action(f"a{n}", "a0", "succeeded", SUCCEEDED, title="inner", notes=["cpu: none"]) for n in (1, 2)]
    root = action("a0", None, "succeeded", SUCCEEDED, notes=["gpu: none"])
    found = page(view(notes=["image: none"], actions=[root, *child], total=3))
    for note in ("Note: image: none", "Note: gpu: none", "Note: inner: cpu: none"):
        assert 1 == found.text.count(note)


def test_notes_and_reattached() -> None:
    found = page(view(notes=["image is not applied"], reattached=True))
    assert "Note: image is not applied" in found.text
    assert "picked up again" in found.text


def test_every_phase_has_an_icon_and_a_word() -> None:
    icons = [timeline.icon(phase) for phase in timeline.ORDER]
    assert "•" not in icons
    assert all(timeline.word(phase) for phase in timeline.ORDER)


def test_a_task_that_returns_nothing_has_no_result() -> None:
    assert "Result" not in page(view(result={"text": "None", "html": None})).text


def test_rich_result_is_kept_in_a_box_of_its_own() -> None:
    rich = (
        "</div></div><script>alert(1)</script><b onclick='x()'>7</b><img src='https://example.org/x.png'><table><td>1"
    )
    found = page(view(result={"text": "plain 7", "html": rich}))
    assert 0 == found.count("script")
    assert "plain 7" not in found.text
    assert all("onclick" not in attrs and "src" not in attrs for _, attrs in found.seen)


def test_rich_result_that_is_too_long_is_shown_as_text() -> None:
    found = page(view(result={"text": "plain 7", "html": "<p>" + "x" * (25 << 10)}))
    assert "plain 7" in found.text


# --- whatever happens -------------------------------------------------------------------------------------------------


class Long(str):
    """A text of which a failing example shows only the beginning."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Long({str(self[:6])!r} * {len(self)})"


nasty = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</style></div></pre></details>",
            '" onmouseover="x',
            "https://example.org/x.js",
            "\x1b[31m\x1b]0;",
            "\ud800\u202e\x00",
            Long("é" * 30_000),
            Long("<&\"'" * 20_000),
            Long("a\nb\n" * 20_000),
            Long("\t" * 5000),
        ]
    ),
)
phases = st.sampled_from([*timeline.ORDER, "unheard of"])
steps = st.lists(st.tuples(phases, st.floats(0, 1e6), st.integers(0, 3)), max_size=60)
failures = st.dictionaries(
    st.integers(0, 30).map(str),
    st.fixed_dictionaries({"code": nasty, "kind": nasty, "message": nasty, "traceback": nasty}),
    max_size=12,
)
names = st.one_of(st.sampled_from(["a0", "a1", "a2"]), nasty)
actions = st.builds(
    lambda name, parent, phase, history, found, title: {
        **action(name, parent, phase, history, title=title),
        "failures": found,
    },
    names,
    st.one_of(st.none(), names),
    phases,
    steps,
    failures,
    nasty,
)
logs = st.dictionaries(
    names,
    st.builds(
        lambda lines, more: {"printed": len(lines) + more, "lines": [list(line) for line in lines]},
        st.lists(st.tuples(st.integers(0, 3), st.just(T), st.sampled_from(["stdout", "stderr"]), nasty), max_size=20),
        st.integers(0, 10_000),
    ),
    max_size=4,
)
views = st.builds(
    view,
    run=nasty,
    task=nasty,
    title=nasty,
    phase=phases,
    actions=st.lists(actions, max_size=6),
    total=st.integers(0, 20_000),
    tasks=st.dictionaries(nasty, st.dictionaries(phases, st.integers(0, 10_000), max_size=4), max_size=5),
    logs=logs,
    notes=st.lists(nasty, max_size=20),
    config=st.lists(st.fixed_dictionaries({"name": nasty, "value": nasty, "level": nasty}), max_size=60),
    inputs=st.dictionaries(nasty, nasty, max_size=8),
    result=st.one_of(st.none(), st.fixed_dictionaries({"text": nasty, "html": st.one_of(st.none(), nasty)})),
)
ADDRESS = re.compile(r"(?i)^\s*(https?:)?//|url\(|@import")


def check(made: dict[str, Any]) -> None:
    assert card.MOST >= saved_size(made)
    html5lib.HTMLParser(strict=True).parseFragment(made["text/html"])  # raises what a browser would have to mend
    found = Page(made["text/html"])
    assert 1 == found.count("style")
    for tag, attrs in found.seen:
        assert tag not in ("script", "iframe", "link", "object", "embed", "img", "form")
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name not in ("src", "href", "srcset", "action")
            if name == "style":
                assert not ADDRESS.search(value or "")
    assert not re.search(r"(?i)https?://|url\(|@import", theme.CSS)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", made["text/html"] + made["text/plain"])


def saved_size(made: dict[str, Any]) -> int:
    """Bytes that the card adds to a notebook file."""
    empty = notebook(cells=[notebook_cell(outputs=[])])
    full = notebook(cells=[notebook_cell(outputs=[nbformat.v4.new_output("display_data", made)])])
    return len(nbformat.writes(full).encode()) - len(nbformat.writes(empty).encode())


def notebook(**parts: Any) -> Any:
    return nbformat.v4.new_notebook(**parts)


def notebook_cell(**parts: Any) -> Any:
    return nbformat.v4.new_code_cell(id="one", **parts)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(views)
def test_small_and_well_formed_whatever_the_run_does(made: dict[str, Any]) -> None:
    check(card.bundle(made, now=NOW))


@given(st.text(alphabet=st.sampled_from(list("<>/divscriptable='\" !-&;")), max_size=200))
def test_foreign_html_never_reaches_out_of_its_box(markup_: str) -> None:
    inside = foreign.contained(markup_, limit=10_000) or ""
    found = Page(f"<section>{inside}</section>")
    assert 0 == found.count("script")


BIG = "x <&> " * 200_000


@pytest.mark.parametrize(
    "made",
    [
        view(logs={"a0": log(*(["a line of ordinary length, with some words in it"] * 200), printed=10_000)}),
        view(logs={"a0": log(*(["\x1b[31m<&>\x1b[0m" * 100] * 200), printed=10_000)}),
        view(logs={"a0": log(BIG, BIG)}),
        view(result={"text": BIG, "html": "<table>" + "<tr><td>&amp;" * 4000}),
        view(inputs={f"name{i}": BIG for i in range(200)}),
        view(tasks={f"task {i}": {"succeeded": 1} for i in range(10_000)}, total=10_001),
        view(
            actions=[
                action(f"a{i}", "a0" if i else None, "failed", STARTED, failures={"0": FAILURE}) for i in range(10_000)
            ]
        ),
        view(actions=[action("a0", None, "queued", [("queued", i, i) for i in range(3000)])], phase="queued"),
        failed(notes=[BIG] * 50, config=[{"name": BIG, "value": BIG, "level": BIG}] * 100),
    ],
    ids=["log", "colours", "long lines", "result", "inputs", "titles", "children", "attempts", "texts"],
)
def test_extremes(made: dict[str, Any]) -> None:
    check(card.bundle(made, now=NOW))


def test_an_ordinary_long_log_keeps_its_tail() -> None:
    made = card.bundle(view(logs={"a0": log(*(f"line {i}" for i in range(200)), printed=10_000)}), now=NOW)
    assert 200 == len(made[card.MIME]["logs"]["a0"]["lines"])


def test_the_json_is_the_cut_view_without_the_rich_result() -> None:
    made = card.bundle(view(result={"text": "1", "html": "<b>1</b>"}), now=NOW)
    assert {"text": "1", "html": None} == made[card.MIME]["result"]
    assert "<b>1</b>" in made["text/html"]
    assert json.loads(json.dumps(made[card.MIME])) == made[card.MIME]


@pytest.mark.parametrize("limits", LEVELS)
def test_shrinking_twice_changes_nothing(limits: Any) -> None:
    once = shrink(failed(inputs={"a": "b" * 900}, logs={"a0": log("x" * 900, "\x1b[31mred")}), limits)
    again = shrink(once, limits)
    assert once == again


def test_a_card_says_in_which_replica_it_ran() -> None:
    said = "replica 2 of pool <b>: warm, call 14"
    root = action("a0", None, "succeeded", SUCCEEDED, title="train", replica=said)
    child = action("a1", "a0", "succeeded", SUCCEEDED, replica="replica 1 of pool c: cold, started in 12 ms")
    shown = page(view(actions=[root, child], total=2)).text
    assert f"Process {said}" in shown
    assert "replica 1 of pool c: cold, started in 12 ms" in shown
    assert f"  {said}" in card.text(view(actions=[root], total=1), now=NOW)


def test_every_section_is_there_and_none_is_shown_empty() -> None:
    bare = shrink(view(phase="queued", actions=[], total=0), LEVELS[0])
    assert {commands} == {section for section in sections.SECTIONS if section(bare, NOW) is not None}


# --- looks ------------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("behind", ["bg", "panel"])
def test_contrast_is_aa(palette: dict[str, str], behind: str) -> None:
    weak = {
        name: round(contrast(colour, palette[behind]), 2)
        for name, colour in palette.items()
        if name not in ("bg", "panel", "line") and contrast(colour, palette[behind]) < 4.5
    }
    assert {} == weak


def test_style_is_scoped_and_sent_once() -> None:
    rules = re.sub(r"@(?:media|supports)[^{]*\{(.*?\})\}", r"\1", theme.CSS)
    selectors = [s for group in re.findall(r"([^{}]+)\{", rules) for s in group.split(",")]
    assert [] == [s for s in selectors if ".flyte-run" not in s and "td" not in s and "th)" not in s]
    assert 1 == card.html(view(), now=NOW).count("<style>")
    assert "<" not in theme.CSS


def test_a_card_brings_the_style_of_what_it_has_and_no_more() -> None:
    def selectors(made: str) -> set[str]:
        return set(re.findall(r"\.(fr-[a-z]+)", made.partition("</style>")[0]))

    known = set(re.findall(r"\.(fr-[a-z]+)", theme.CSS))
    for shown in (view(), failed(), view(logs={"a0": log("\x1b[31mred\x1b[0m", stream="stderr")})):
        made = card.html(shown, now=NOW)
        used = {name for attrs in page(shown).seen for name in (attrs[1].get("class") or "").split()}
        assert used & known <= selectors(made)
        rules = set(re.findall(r"([^{}]+)\{", made.partition("</style>")[0]))
        assert ".flyte-run.flyte-run.flyte-run pre,.flyte-run .fr-rich" in rules
    assert "fr-tabs" not in selectors(card.html(view(), now=NOW))
    assert 8000 > len(card.html(view(), now=NOW))


def test_headings_and_status_for_screen_readers() -> None:
    roles = {attrs.get("role") for _, attrs in page(view()).seen}
    assert {"heading", "status", "group"} <= roles


def test_a_step_names_its_stretch_and_a_reason_is_told_while_it_lasts() -> None:
    history = [("queued", 0.0, 0), ("initializing", 1.0, 0, "image")]
    waiting = action("a0", None, "initializing", history, title="train", reason="installs pandas <1>")  # type: ignore[arg-type]
    told = card.html(view(phase="initializing", actions=[waiting]), now=NOW)
    assert "image <b>4.0 s</b>" in told
    assert "installs pandas &lt;1&gt;" in told
    over = {**waiting, "phase": "succeeded", "history": [*waiting["history"], ["succeeded", T + 3, 0, ""]]}
    assert "installs pandas" not in card.html(view(actions=[over]), now=NOW)
