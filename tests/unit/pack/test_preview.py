"""Values in a few words."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from flyte_jupyter.pack.preview import describe, preview


class Rich:
    def __init__(self, html: Any) -> None:
        self.html = html

    def __repr__(self) -> str:
        return "Rich()"

    def _repr_html_(self) -> Any:
        if isinstance(self.html, Exception):
            raise self.html
        return self.html


class Broken:
    def __repr__(self) -> str:
        raise ValueError("no repr today")


class Dynamic:
    """Has every attribute that is asked for, as mocks and some proxies do."""

    def __getattr__(self, name: str) -> Any:
        return 1

    def __repr__(self) -> str:
        return "Dynamic()"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        ("a\nb", "'a\\nb'"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        ({"a": {"b": {"c": {"d": 1}}}}, "{'a': {'b': {'c': {...}}}}"),
        (np.zeros((3, 4)), "ndarray (3, 4)"),
        (np.float64(1.5), "np.float64(1.5)"),
        (pd.DataFrame({"a": [1, 2]}), "DataFrame (2, 1)"),
        (pd.Series([1, 2, 3]), "Series (3,)"),
        (Dynamic(), "Dynamic()"),
    ],
)
def test_a_value_on_one_line(value: Any, expected: str) -> None:
    assert expected == describe(value)


def test_a_line_is_bounded() -> None:
    assert 200 == len(describe(["x" * 90] * 8))
    assert "…" == describe(["x" * 90] * 8)[-1]
    assert "[1,…" == describe([1, 2, 3], limit=4)


def test_a_line_has_no_line_ends() -> None:
    class Tall:
        def __repr__(self) -> str:
            return "first\n   second"

    assert "first second" == describe(Tall())


def test_a_broken_repr_fails_no_description() -> None:
    assert describe(Broken()).startswith("<Broken instance at 0x")


def test_a_preview_has_text_and_html() -> None:
    assert {"text": "'a'", "html": None} == preview("a")
    assert {"text": "Rich()", "html": "<b>rich</b>"} == preview(Rich("<b>rich</b>"))


def test_a_frame_shows_its_table() -> None:
    shown = preview(pd.DataFrame({"a": [1, 2]}))
    assert "   a\n0  1\n1  2" == shown["text"]
    assert "<table" in shown["html"]


def test_drawings_and_pictures_are_shown() -> None:
    class Drawn:
        def _repr_svg_(self) -> str:
            return "<svg></svg>"

    class Painted:
        def __init__(self, made: Any) -> None:
            self._repr_png_ = lambda: made

    assert "<svg></svg>" == preview(Drawn())["html"]
    picture = '<img alt="the result, a picture" src="data:image/png;base64,AQI=">'
    assert [picture, picture] == [preview(Painted(made))["html"] for made in (b"\x01\x02", (b"\x01\x02", {"width": 1}))]
    assert [None, None] == [preview(Painted(made))["html"] for made in (b"x" * 24_000, 7)]


def test_a_figure_is_a_picture_that_is_small_enough() -> None:
    figure = Figure(figsize=(12, 9))
    noise = random.Random(1)
    figure.subplots().imshow([[noise.random() for _ in range(60)] for _ in range(40)])
    html = preview(figure)["html"]
    assert html.startswith('<img alt="the result, a picture" src="data:image/png;base64,iVBOR')
    assert 24 * 1024 >= len(html)


@pytest.mark.parametrize("html", [None, 3, b"<b>", ValueError("no"), "x" * (24 * 1024 + 1)])
def test_html_that_cannot_be_shown_is_left_out(html: Any) -> None:
    assert {"text": "Rich()", "html": None} == preview(Rich(html))


def test_a_class_has_no_html_of_its_own() -> None:
    assert {"text": repr(Rich), "html": None} == preview(Rich)


def test_what_answers_everything_has_no_html() -> None:
    assert {"text": "Dynamic()", "html": None} == preview(Dynamic())


def test_a_dict_has_its_own_order() -> None:
    value = {"b": {3: 1, 1: 2}, "a": {}, "c": 1}
    assert (repr(value), repr(value)) == (preview(value)["text"], describe(value))
    many = {9 - n: n for n in range(9)}
    assert "{9: 0, 8: 1, 7: 2, 6: 3, 5: 4, 4: 5, 3: 6, 2: 7, ...}" == describe(many)
    assert "{1: {2: {3: {...}}}}" == describe({1: {2: {3: {4: 5}}}})


def test_a_preview_is_bounded() -> None:
    text = preview("x" * 10_000)["text"]
    assert ("'" + "x" * 3999 + " …") == text


def test_a_broken_repr_fails_no_preview() -> None:
    expected = "<Broken, whose repr fails: ValueError('no repr today')>"
    assert {"text": expected, "html": None} == preview(Broken())


def test_a_long_container_is_broken_into_lines() -> None:
    rows = [{"species": "Adelie", "mass": n} for n in range(10)]
    lines = preview(rows)["text"].splitlines()
    assert (5, "[{'species': 'Adelie', 'mass': 0}, {'species': 'Adelie', 'mass': 1},") == (len(lines), lines[0])


def test_a_container_of_millions_is_not_printed_to_be_cut() -> None:
    class Loud:
        told = 0

        def __repr__(self) -> str:
            Loud.told += 1
            return "Loud()"

    shown = preview([Loud()] * 1_000_000)["text"]
    assert ("[Loud(), Loud()", 200) == (shown[:15], Loud.told)
