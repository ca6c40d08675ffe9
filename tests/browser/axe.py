"""What axe says of a part of a page."""

from __future__ import annotations

from playwright.sync_api import Page

from labextension.build import AXE
from tests.conftest import lacking


def violations(page: Page, selector: str) -> list[str]:
    """What is wrong with the accessibility of a part of the page: rule, and the elements."""
    if not AXE.exists():
        lacking("axe-core: python labextension/build.py --check, or npm ci in labextension")
    page.evaluate(AXE.read_text())
    found = page.evaluate("async selector => (await window.axe.run(selector)).violations", selector)
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]
