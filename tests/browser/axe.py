"""What axe says of a part of a page."""

from __future__ import annotations

from playwright.sync_api import Locator

from labextension.build import AXE
from tests.conftest import lacking

_ASK = """async parts => (await window.axe.run(parts)).violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => `${id}: ${html.slice(0, 300)} ${failureSummary}`))"""


def violations(part: Locator) -> list[str]:
    """What is wrong with the accessibility of a part of the page, which may be several elements: rule, element, why."""
    if not AXE.exists():
        lacking("axe-core: python labextension/build.py --check, or npm ci in labextension")
    assert part.count(), f"{part} is not there"
    part.page.evaluate(f"() => {{ if (!window.axe) {{ {AXE.read_text()} }} }}")
    found: list[str] = part.evaluate_all(_ASK)
    return found
