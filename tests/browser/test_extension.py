"""What a JupyterLab with our extension has."""

from __future__ import annotations

from tests.browser.conftest import Lab

CELL = """
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("prep")
@env.task
def add(a: int, b: int) -> int:
    return a + b
flyte.run(add, 1, 2).wait()
"""


def test_the_extension_is_there_and_the_server_knows_the_runs(extended: Lab) -> None:
    extended.write("one.ipynb", CELL)
    extended.open("one.ipynb")
    extended.do("notebook:run-all-cells")
    extended.page.wait_for_function("window.jupyterapp.hasPlugin('flyte-jupyter:server')")
    found = extended.page.evaluate(
        """async () => {
            const answer = await fetch('/flyte-jupyter/runs');
            return (await answer.json()).runs.map(run => [run.title, run.phase]);
        }"""
    )
    assert [["add", "succeeded"]] == found
    assert [] == extended.problems
