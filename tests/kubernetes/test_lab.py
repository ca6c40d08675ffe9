"""Runs in a real cluster in a real JupyterLab: card, sidebar, viewer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from flyte_jupyter.home import Home
from tests.browser.conftest import WAIT, Lab, launched, started
from tests.conftest import eventually, is_alive
from tests.kubernetes.conftest import Cluster

START = """\
%load_ext flyte_jupyter
import flyte_jupyter as flyte
flyte.init(mode="remote", namespace={namespace!r}, image={image!r})
env = flyte.TaskEnvironment(name="far", resources=flyte.Resources(cpu="100m", memory=("200Mi", "300Mi")))

@env.task
def count(until: int) -> int:
    import time
    for number in range(until):
        print("line", number, flush=True)
        time.sleep(0.2)
    return until

@env.task
def eat() -> int:
    return len(bytearray(1 << 30))
"""


@pytest.fixture
def lab(kernel: Home, cluster: Cluster, image: str, tmp_path: Path) -> Iterator[Lab]:
    with launched() as browser, started(tmp_path, browser, is_extended=True) as made:
        made.page.set_default_timeout(WAIT)
        expect.set_options(timeout=WAIT)
        start = START.format(namespace=cluster.namespace, image=image)
        made.write("far.ipynb", start, "run = flyte.submit(count, 6000)", "large = flyte.submit(eat)")
        made.open("far.ipynb")
        made.run_cell(0)
        yield made


def test_a_card_comes_alive_when_its_kernel_was_killed_and_the_page_is_loaded_anew(lab: Lab, cluster: Cluster) -> None:
    lab.run_cell(1)
    eventually(lambda: ["running"] == lab.statuses())
    lab.do("docmanager:save")
    for kernel in psutil.Process(lab.server).children():
        kernel.kill()
        eventually(lambda kernel=kernel: not is_alive(kernel))  # type: ignore[misc]
    lab.page.reload()
    shown = lab.page.locator(".flyte-Card[data-source=server]")
    expect(shown).to_contain_text(f"/{cluster.namespace}")
    eventually(lambda: ["running"] == lab.statuses())
    printed = shown.get_by_text(re.compile(r"line \d+\s*$"))
    printed.wait_for()
    before = printed.inner_text()
    eventually(lambda: printed.inner_text() != before)

    lab.do("flyte:show-runs")
    lab.page.locator("#flyte-sidebar .jp-AccordionPanel-title").filter(has_text="Clusters").click()
    row = lab.page.locator("#flyte-sidebar").get_by_role("row", name=re.compile("Remote runs"))
    expect(row).to_contain_text("reached")
    expect(row).to_contain_text(cluster.namespace)

    run = lab.runs()[0]["name"]
    lab.do("flyte:open-run", run=run)
    viewer = lab.page.locator(f"#flyte-run-{run}")
    expect(viewer.get_by_role("log")).to_contain_text(re.compile(r"line \d+"))
    viewer.get_by_role("button", name="Cancel Run").click()
    expect(viewer.locator(".flyte-Header .flyte-PhaseWord")).to_have_text("aborted")
    assert [] == lab.problems


def test_why_a_pod_has_failed_is_seen_first(lab: Lab) -> None:
    lab.run_cell(2)
    eventually(lambda: ["failed"] == lab.statuses())
    run = lab.runs()[0]["name"]
    lab.do("flyte:open-run", run=run)
    why = lab.page.locator(f"#flyte-run-{run}").get_by_role("note", name="Why it is failed")
    expect(why).to_contain_text("OOM")
    expect(why).to_contain_text("300 MiB")
    assert [] == lab.problems
