"""Triggers in a notebook: deployed in one cell, shown and fired in others, also after a restart of the kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.kernel.front import Front

DEPLOY = """
import os
import flyte_jupyter as flyte
env = flyte.TaskEnvironment("nights", description="To try triggers")
factor = 3
daily = flyte.Cron("0 6 * * *", "Europe/Berlin")

@env.task(triggers=flyte.Trigger("nightly", daily, inputs={"x": 5}))
def work(x: int) -> int:
    "Multiplies."
    return factor * x

flyte.deploy(env)
"""


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    """A kernel in which nothing was loaded yet."""
    with Front(home) as made:
        yield made


def test_deployed_in_one_kernel_and_fired_in_the_next(front: Front) -> None:
    shown = front.run(DEPLOY)
    assert ("ok", "") == (shown.status, shown.stderr)
    assert "every day at 06:00 (Europe/Berlin)" in shown.result
    front.restart()
    listed = front.run("import flyte_jupyter as flyte\nflyte.triggers()")
    assert "nights.work" in listed.result
    fired = front.run("run = flyte.run(flyte.triggers()[0])\nprint(run.result())")
    assert "15\n" == fired.stdout
    (card,) = [each["data"] for each in fired.displays if MIME in each["data"]]
    assert "nightly" == card[MIME]["trigger"]["name"]
    assert "by hand" in card["text/html"]
    assert "About: Multiplies." in card["text/html"]


def test_a_question_mark_says_what_a_task_is_for_and_that_it_is_to_be_deployed(front: Front) -> None:
    front.run(DEPLOY.replace("flyte.deploy(env)", ""))
    asked = front.run("print(get_ipython().object_inspect_text('work'))")
    for expected in ("Multiplies.", "To try triggers", "deploy the environment to activate it"):
        assert expected in asked.stdout
