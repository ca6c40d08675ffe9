"""`python -m tests.benchmarks`: how fast and how large it is, each figure beside its floor, as a markdown table.

A floor is what the machine needs for the least that any implementation has to do, measured in turns with the figure,
so that a slow or busy machine shows in both.  Nothing here fails: figures are for reading.
"""

from __future__ import annotations

import operator
import os
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import (
    buckets,
    cached,
    cards,
    clusters,
    declarations,
    lab,
    lab_page,
    lab_sidebar,
    lab_viewer,
    magics,
    measures,
    panels,
)
from tests.benchmarks.measures import Measured


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: is measured; of: the part of `Measured` and which of its samples counts.
        target: of the issue, in `unit`; floor: what the floor is, in words.
    """

    what: str
    measure: Callable[[], Measured]
    floor: str
    target: float | None
    unit: str = "ms"
    of: Callable[[list[float]], float] = statistics.median


def p90(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=10)[-1] if len(samples) > 1 else samples[0]


ROWS = [
    Row("`import flyte_jupyter`", measures.imports, "import cloudpickle", 100),
    Row("1 000 tasks declared with all settings", declarations.declarations, "1 000 frozen dataclasses of these", 500),
    Row("one `override()` of four settings", declarations.overrides, "`dataclasses.replace` of these", 50, "µs"),
    Row("`%load_ext` to first result, no Host", measures.first_result, "python -c 'import cloudpickle'", 1000),
    Row("`%load_ext`", measures.load_ext, "`%load_ext autoreload`", 150),
    Row("fresh process per task, p50", measures.warm_runs, "fork with numpy, and socket round trip", 15),
    Row("fresh process per task, p90", measures.warm_runs, "the same, p90", None, of=p90),
    Row("warm replica, p50", measures.replicas, "warm pool of `concurrent.futures`", None),
    Row("warm replica, p90", measures.replicas, "the same, p90", None, of=p90),
    Row("second use of a built image adds", measures.built_image, "the same task without an image, in full", 5),
    Row("cache hit, p50", cached.hits, "read the file and unpickle", 3000, "µs"),
    Row("cache hit with its card in a notebook, p50", cached.hits_in_a_notebook, "display as much HTML", 3000, "µs"),
    Row("`%%flyte_task` adds to `flyte.run`, p50", magics.cells, "that run, in full", 3),
    Row("`%flyte_run` adds to `flyte.run`, p50", magics.calls, "that run, in full", 3),
    Row("first override panel of a kernel", panels.first_panel, "ipywidgets loaded, 25 texts shown", 200),
    Row("later override panels", panels.later_panels, "25 texts of ipywidgets shown", 200),
    Row("card update, 200 lines of log, CPU", lambda: cards.updates(0, 200), "write it as JSON", 2),
    Row("card update, 50 children that print, CPU", lambda: cards.updates(50, 20), "the same", 2),
    Row("card update, 10 000 children, CPU", lambda: cards.updates(10_000, 1), "the same", 2),
    Row("a cell while 10 000 actions run, p50", cards.cells_meanwhile, "the same cell before", 50),
    Row("50 children gathered", measures.gathers, "50 forks with numpy", 1000),
    Row("Host idle, RSS of Host and zygote", measures.idle_rss, "two bare interpreters, one with asyncio", 60, "MB"),
    Row("Host idle, PSS of Host and zygote", measures.idle_pss, "the same", None, "MB"),
    Row("the same right after a run, RSS", measures.rss_after_a_run, "the same", None, "MB"),
    Row("Host idle, CPU in 5 s (ticks of 10 ms)", measures.idle_cpu, "the same", 10, "ms"),
]
IN_A_CLUSTER = [
    Row("fresh action in a cluster, p50", clusters.fresh, "a bare pod, created → Running", None),
    Row("a pod runs → the card says so, p90", clusters.on_the_card, "–", 1000, of=p90),
    Row("submission, 200 at once, each, p50", clusters.many, "its Job created, alone", 20),
    Row("memory of the kernel for 200 open runs", clusters.memory_of_many, "–", 50, "MB"),
    Row("requests in 30 s when idle", clusters.idle, "–", 1, ""),
    Row("100 MB into a bucket (at most 1.4 ×)", buckets.there, "`obstore.put` of the same", None),
    Row("100 MB out of a bucket (at most 1.4 ×)", buckets.back, "`obstore.get` of the same", None),
    Row("100 MB there and back, signed and verified", buckets.sealed, "the two, without", None),
]
"""Of `python -m tests.benchmarks cluster`, which needs what tests/kubernetes need, and a quiet machine."""

IN_LAB = [
    Row("server idle with a page open, CPU", lab.idle, "the same without our extensions", 1, "%"),
    Row("viewer of 10 000 actions opens, p50", lab_viewer.opens, "fetch and parse them", 1000),
    Row("the same for the first time", lab_viewer.opens, "the same after it", 1000, of=operator.itemgetter(0)),
    Row("a line is printed → its card shows it, p90", lab_viewer.on_the_card, "ipywidgets: set → shown", 250, of=p90),
    Row("a line is printed → the viewer shows it, p90", lab_viewer.in_the_viewer, "the same", 250, of=p90),
    Row("sidebar, first paint, 10 000 runs", lab_sidebar.first_paint, "JupyterLab's list of what runs", 300),
    Row("sidebar, activation", lab_sidebar.activation, "the same", 50),
    Row("10 000 runs scrolled, frames > 50 ms", lab_sidebar.scrolling, "an empty box scrolled", 1, "%"),
    Row("longest task of the page, map of 1 000", lab_page.longest_task, "an output that changes, without us", 100),
]
"""Of `python -m tests.benchmarks lab`, which needs a browser, and a quiet machine."""


def main(rows: list[Row]) -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores\n")
    print("| what | measured | floor | ratio | target | met | floor is | rounds |")
    print("|---|---:|---:|---:|---:|---|---|---:|")
    for row in rows:
        measured = row.measure()
        value, floor = row.of(measured.samples), row.of(measured.floors)
        ratio = f"{value / floor:.1f} ×" if floor > 0 else "–"
        target = f"≤ {row.target:g} {row.unit}" if row.target is not None else "–"
        met = "–" if row.target is None else "yes" if value <= row.target else "no"
        cells = [row.what, f"{value:.1f} {row.unit}", f"{floor:.1f} {row.unit}", ratio, target, met, row.floor]
        print(f"| {' | '.join(cells)} | {len(measured.samples)} |", flush=True)


if __name__ == "__main__":
    main({"cluster": IN_A_CLUSTER, "lab": IN_LAB}.get(" ".join(sys.argv[1:]), ROWS))
