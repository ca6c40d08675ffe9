"""How quick the sidebar is, with ten thousand runs in the store; the floor is JupyterLab's own list of what runs."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tests.benchmarks.lab import labs
from tests.benchmarks.measures import Measured
from tests.browser.many_runs import copy_runs
from tests.conftest import eventually

RUNS = 10_000
_LOADS = 5
_SWITCHES = 15
_SCROLLS = 5
_CELL = """
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("prep")
@env.task
def add(a: int, b: int) -> int:
    return a + b
flyte.run(add, 1, 2).wait()
"""
_OURS = ("flyte-sidebar", "#flyte-runs .flyte-Row[data-key]")
_LABS = ("jp-running-sessions", "#jp-running-sessions .jp-RunningSessions-item")
_SHOW = """async ([id, row]) => {
    const {shell} = window.jupyterapp;
    const painted = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
    const began = performance.now();
    shell.activateById(id);
    while (!document.querySelector(row)?.checkVisibility()) {
        await painted();
    }
    await painted();
    return performance.now() - began;
}"""
"""Milliseconds until a panel is on the screen, with a row of it."""
_READY = """async () => {
    while (!window.jupyterapp) {
        await new Promise(resolve => setTimeout(resolve, 1));
    }
    await window.jupyterapp.restored;
}"""
_SCROLL = """async isOurs => {
    const empty = document.createElement('div');
    empty.style = 'position: fixed; left: 0; top: 300px; width: 250px; height: 600px; overflow: auto; z-index: 9999';
    empty.innerHTML = '<div style="height: 240000px"></div>';
    const list = isOurs ? document.querySelector('#flyte-runs .flyte-TreeGrid') : document.body.appendChild(empty);
    const next = () => new Promise(resolve => requestAnimationFrame(resolve));
    let late = 0, frames = 0;
    for (const step of [24, 240, 2400]) {
        list.scrollTop = 0;
        let last = await next();
        for (let index = 0; index < 90; index++) {
            list.scrollTop += step;
            const now = await next();
            late += now - last > 50;
            frames++;
            last = now;
        }
    }
    empty.remove();
    return late / frames * 100;
}"""
"""Percent of frames that came late, at three speeds."""


@dataclass(frozen=True)
class _Sidebar:
    first: Measured
    switch: Measured
    scroll: Measured


def first_paint() -> Measured:
    """From when JupyterLab has restored itself to a row of the panel, which nobody has seen before."""
    return _sidebar().first


def activation() -> Measured:
    """From the click to the row, when it was seen before."""
    return _sidebar().switch


def scrolling() -> Measured:
    """Percent of frames longer than 50 ms while all runs are scrolled; the floor is an empty box of the same height."""
    return _sidebar().scroll


@functools.cache
def _sidebar() -> _Sidebar:
    made = _Sidebar(Measured(), Measured(), Measured())
    with labs() as lab:
        page = lab.page
        lab.write("one.ipynb", _CELL)
        lab.open("one.ipynb")
        lab.run_cell(0)
        eventually(lambda: ["succeeded"] == [run["phase"] for run in lab.runs()], within=60)
        copy_runs(lab.home, lab.runs()[0]["name"], RUNS - 1, notebooks=20)
        total = "async () => (await (await fetch('/flyte-jupyter/runs?limit=1')).json()).total"
        eventually(lambda: page.evaluate(total) == RUNS, within=300)
        for number in range(2 * (_LOADS + 1)):
            page.reload()
            page.evaluate(_READY)
            took = page.evaluate(_SHOW, _LABS if number % 2 else _OURS)
            if number > 1:  # the first time of each, nothing is cached
                (made.first.floors if number % 2 else made.first.samples).append(took)
            page.evaluate("window.jupyterapp.shell.activateById('filebrowser')")
        for panel in (_OURS, _LABS):
            page.evaluate(_SHOW, panel)
        for _ in range(_SWITCHES):
            for panel, samples in ((_OURS, made.switch.samples), (_LABS, made.switch.floors)):
                page.evaluate("window.jupyterapp.shell.activateById('filebrowser')")
                samples.append(page.evaluate(_SHOW, panel))
        page.evaluate(_SHOW, _OURS)
        for _ in range(_SCROLLS):
            made.scroll.floors.append(page.evaluate(_SCROLL, False))
            made.scroll.samples.append(page.evaluate(_SCROLL, True))
    return made
