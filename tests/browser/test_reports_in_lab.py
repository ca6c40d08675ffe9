"""Reports as people see them in JupyterLab: in frames, where scripts run only in the report that is shown by itself."""

from __future__ import annotations

from flyte_jupyter.notebook.cards import card
from tests.browser.conftest import Lab
from tests.browser.test_cards_in_lab import START, saved
from tests.conftest import eventually
from tests.unit.notebook.views import view

REPORTS = """\
@env.task(report=True)
def reports() -> int:
    flyte.report.log("<h1>so far</h1><p id='of'>static</p>")
    flyte.report.log("<script>document.getElementById('of').textContent = 'ran'</script>")
    for _ in flyte.progress(range(3), unit="rows"):
        pass
    while not pathlib.Path(gate).exists():
        time.sleep(0.05)
    flyte.report.replace("<h1>all of it</h1><script>document.body.dataset.origin = window.origin</script>")
    return 7

run = flyte.submit(reports)
"""


def test_a_report_is_live_on_the_card_and_runs_its_scripts_by_itself(lab: Lab) -> None:
    lab.write("report.ipynb", START, REPORTS, "run.get_report()")
    lab.open("report.ipynb")
    lab.run_cell(0)
    lab.run_cell(1)
    on_card = lab.page.frame_locator(".flyte-run iframe")
    on_card.get_by_text("so far").wait_for(timeout=60_000)
    assert "static" == on_card.locator("#of").inner_text()
    assert "3 of 3 rows" in lab.page.locator(".flyte-run").inner_text()
    lab.run_cell(2)
    by_itself = lab.page.frame_locator("iframe[sandbox*=allow-scripts]")
    eventually(lambda: by_itself.locator("#of").inner_text() == "ran", within=60)
    (lab.folder / "gate").write_text("")
    on_card.get_by_text("all of it").wait_for(timeout=60_000)
    lab.run_cell(2)
    by_itself.get_by_text("all of it").wait_for(timeout=60_000)
    assert "null" == by_itself.locator("body").get_attribute("data-origin")  # none: it reaches nothing of the page


def test_where_frames_are_taken_away_the_line_that_shows_it_stays(lab: Lab) -> None:
    shown = view(report={"attempt": 0, "tabs": ["main"], "size": 2000, "html": {"main": "<p>x</p>"}})
    assert "<iframe" in card.html(shown, now=0.0)
    lab.write("other.ipynb", saved(shown))
    lab.open("other.ipynb")
    output = lab.page.locator(".jp-OutputArea-output").first
    output.wait_for()
    assert 0 == output.locator("iframe").count()
    for expected in ("Report", "1 tab, 2 KiB", "flyte.get_run('r-1').get_report()"):
        assert expected in output.inner_text()
