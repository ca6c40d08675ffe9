from __future__ import annotations

from collections.abc import Callable

import pytest

from flyte_jupyter.notebook.notice import AFTER, after, command


def has(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in programs else None


def test_a_linux_desktop_is_told_and_reads_no_markup_or_option_in_the_title() -> None:
    for environ in ({"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}):
        words = command("-✓ fit", "<a&b>.ipynb", environ, "linux", has("notify-send"))
        assert ["/bin/notify-send", "--app-name=Jupyter", "--", "-✓ fit", "&lt;a&amp;b&gt;.ipynb"] == words


def test_macos_is_told_by_a_script_that_has_the_text_as_data() -> None:
    words = command('" & quit', "a.ipynb", {}, "darwin", has("osascript"))
    assert words is not None
    assert ['" & quit', "a.ipynb"] == words[-2:]
    assert not any("quit" in word for word in words[:-2])


@pytest.mark.parametrize(
    ("environ", "programs"),
    [({}, ["notify-send"]), ({"DISPLAY": ":0"}, []), ({"DISPLAY": ":10", "SSH_CONNECTION": "x"}, ["notify-send"])],
)
def test_where_nobody_would_see_it_nothing_is_started(environ: dict[str, str], programs: list[str]) -> None:
    assert command("t", "x", environ, "linux", has(*programs)) is None


def test_after_how_many_seconds() -> None:
    assert (AFTER, 3.5, None, AFTER) == tuple(
        after(e)
        for e in ({}, {"FLYTE_JUPYTER_NOTIFY": "3.5"}, {"FLYTE_JUPYTER_NOTIFY": "no"}, {"FLYTE_JUPYTER_NOTIFY": "x"})
    )
