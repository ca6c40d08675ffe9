"""Reports as pages, and what may be logged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import html5lib
import pandas
import pytest
from matplotlib.figure import Figure

from flyte_jupyter import report
from flyte_jupyter.report import Page, Report, as_html


def test_a_page_has_a_tab_for_each_and_no_script_of_its_own() -> None:
    page = Page.of("train", {"main": "<p>one</p>", "<b>": "<script>var plot</script>"})
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    assert ["main", "<b>"] == [label.text for label in tree.iter("label")]
    assert [1, 2] == [len(list(tree.iter(tag))) for tag in ("script", "section")]
    assert "<input" not in Page.of("train", {"main": "x"})
    assert "<report of train: 2 tabs (main, <b>), 1 KiB>" == repr(page).replace("2 KiB", "1 KiB")


def test_a_notebook_shows_it_in_a_frame_that_reaches_nothing() -> None:
    page = Page.of("train", {"main": '<p title="x">&amp;</p><script>parent.alert(1)</script>'})
    frame = next(html5lib.parseFragment(page._repr_html_(), namespaceHTMLElements=False).iter("iframe"))
    assert ("allow-scripts allow-popups", page.html) == (frame.attrib["sandbox"], frame.attrib["srcdoc"])


def test_it_can_be_saved_and_is_a_text(tmp_path: Path) -> None:
    page = Page.of("train", {"main": "<p>é</p>"})
    assert page == page.save(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<p>é</p>" in page.lower()


class Rich:
    def __init__(self, **made: Any) -> None:
        vars(self).update({name: lambda value=value: value for name, value in made.items()})

    def __repr__(self) -> str:
        return "<Rich & plain>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<b>as it is</b>", "<b>as it is</b>"),
        (Rich(_repr_html_="<i>x</i>"), "<i>x</i>"),
        (Rich(_repr_html_=None, _repr_mimebundle_={"text/html": "<u>x</u>"}), "<u>x</u>"),
        (Rich(_repr_mimebundle_=({"text/html": "<u>x</u>"}, {})), "<u>x</u>"),
        (Rich(_repr_svg_="<svg></svg>"), "<svg></svg>"),
        (Rich(_repr_png_=b"png"), '<img src="data:image/png;base64,cG5n" alt="">'),
        (Rich(), "<pre>&lt;Rich &amp; plain&gt;</pre>"),
        ([1, 2], "<pre>[1, 2]</pre>"),
    ],
)
def test_what_is_logged_is_what_a_notebook_shows(value: object, expected: str) -> None:
    assert expected == as_html(value)


def test_frames_and_figures() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    assert "<th>a</th>" in as_html(pandas.DataFrame({"a": [1]}))
    for drawn in (figure, axes):  # without pyplot, and whatever the back end is
        assert as_html(drawn).startswith('<img src="data:image/png;base64,iVBOR')


def test_tabs() -> None:
    made = Report("train")
    assert not made.has_content()
    made.get_tab("main").log("a")
    made.get_tab("main").log("b")
    made.get_tab("other").replace("c")
    assert "a\nb" == made.get_tab("main").get_html()
    assert {"main": "a\nb", "other": "c"} == made.html_of_tabs()
    with pytest.raises(ValueError, match="Tab none does not exist; there are: main, other"):
        made.get_tab("none", create_if_missing=False)


def test_outside_a_task_nothing_happens() -> None:
    report.log("x", do_flush=True)
    report.replace("x")
    report.flush()
    asyncio.run(report.log.aio("x"))
    report.get_tab("other").log("x")
    assert not report.current_report().has_content()


def test_parts_of_flyte() -> None:
    timeline = report.Timeline("steps")
    timeline.row(label="<b>", error="wrong")
    assert "&lt;x&gt;" == report.abbreviate("<x>")
    assert "<details" in report.abbreviate("<" * 400)
    assert "<<" not in report.abbreviate("<" * 400)
    assert "1500 ms" == report.duration_ms("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01.500+00:00")
    assert "" == report.duration_ms("", None)
