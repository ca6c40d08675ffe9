"""What can be done about a run, as lines to copy."""

from __future__ import annotations

import ast
import re
from html import unescape
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.notebook.cards import card
from flyte_jupyter.notebook.cards.commands import commands_of
from flyte_jupyter.notebook.cards.shrink import LEVELS, shrink
from flyte_jupyter.pods import Requirements
from tests.unit.notebook.cards.test_card import Page
from tests.unit.notebook.views import FAILURE, STARTED, T, action, failed, log, view

MIB = 1 << 20
OOM = {**FAILURE, "code": "OOMError", "message": "train needed more memory than its limit of 512 MiB."}


def told(shown: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["code"] for each in commands_of(shrink(shown, LEVELS[0]))}


def out_of_memory(*, child: bool = False, **more: Any) -> dict[str, Any]:
    history = [*STARTED, ("failed", 0.6, 0)]
    root = action("a0", None, "failed", history, title="train", failures={"0": OOM}, peak_memory=300 * MIB)
    called = [action("a1", "a0", "failed", history, failures={"0": OOM})] if child else []
    return view(phase="failed", actions=[root, *called], total=1 + len(called), **more)


def html_of_failed(fits: dict[str, Any] | None) -> str:
    never = {**FAILURE, "code": "Unschedulable", "message": "It can never start."}
    failed_at_once = action("a0", None, "failed", [("failed", 0.1, 0)], failures={"0": never}, instead=fits)
    return card.html(view(phase="failed", actions=[failed_at_once]), now=T)


@pytest.mark.parametrize(
    ("asked", "instead", "expected"),
    [
        ({"gpu": 8, "cpu": 4.0}, {"gpu": 4}, flyte.Resources(cpu=4, gpu=4)),
        ({"cpu": 8.0, "cpu_limit": 16.0, "memory": 1 << 30}, {"cpu": 1.5}, flyte.Resources(cpu=1.5, memory="1Gi")),
        ({"memory": 64 << 30, "memory_limit": 128 << 30}, {"memory": 23 << 30}, flyte.Resources(memory="23Gi")),
    ],
)
def test_what_asks_for_more_than_there_is_can_be_run_with_less(
    asked: dict[str, Any], instead: dict[str, Any], expected: flyte.Resources
) -> None:
    fits = Requirements(**asked).changed(instead)
    waiting = action("a0", None, "waiting_for_resources", STARTED, instead=fits)
    shown = view(phase="waiting_for_resources", actions=[waiting], asked=asked)
    again = f"flyte.rerun('r-1', override={{'resources': flyte.{expected!r}}})"
    assert f"flyte.get_run('r-1').cancel(); {again}" == told(shown)["resources"]
    assert [again] == [
        unescape(line) for line in re.findall("<code[^>]*>(flyte.rerun.*?)</code>", html_of_failed(fits))
    ][:1]
    assert "resources" not in told(view(phase="running", actions=[action("a0", None, "running", STARTED)], asked=asked))


def test_what_runs_can_be_cancelled() -> None:
    running = view(phase="running", actions=[action("a0", None, "running", STARTED)])
    assert {"cancel": "%flyte_cancel r-1"} == told(running)


def test_what_is_over_can_be_run_again() -> None:
    assert {
        "value": "flyte.attach('r-1')",
        "rerun": "flyte.rerun('r-1')",
        "override": "flyte.rerun('r-1', override={'retries': 3})",
        "panel": "%flyte_override my_env.train",
    } == told(view())
    assert {"rerun", "override", "panel", "logs"} == told(failed(logs={"a0": log("x")})).keys()
    assert {"value"} == told(view(runs_again=False)).keys()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"memory": 512 * MIB}, flyte.Resources(memory="1Gi")),
        ({"memory": 512 * MIB, "cpu": 1.0}, flyte.Resources(cpu=1, memory="1Gi")),
        ({"memory": 256 * MIB, "memory_limit": 1000 * MIB, "cpu": 0.5, "cpu_limit": 2.0},
         flyte.Resources(cpu=(0.5, 2), memory="2000Mi")),
        ({"memory": 512 * MIB, "gpu": 1, "model": "T4", "disk": 10 << 30},
         flyte.Resources(memory="1Gi", gpu="T4:1", disk="10Gi")),
        ({"cpu": 1.0}, flyte.Resources(cpu=1, memory="600Mi")),
    ],
)  # fmt: skip
def test_after_memory_ran_out_twice_as_much(asked: dict[str, Any], expected: flyte.Resources) -> None:
    code = told(out_of_memory(asked=asked))["memory"]
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    made = eval(compile(ast.Expression(call.keywords[0].value), "", "eval"), {"flyte": flyte})
    assert ({"resources": expected}, "flyte.rerun") == (made, ast.unparse(call.func))


def test_the_line_stands_below_the_error() -> None:
    found = Page(card.html(out_of_memory(asked={"memory": 512 * MIB}), now=T)).text
    above, _, below = found.partition("needed more memory")
    assert "flyte.rerun" not in above
    assert "Again with more memory flyte.rerun('r-1', override={'resources': flyte.Resources(memory='1Gi')})" in below


def test_not_for_what_an_action_that_it_called_has_done() -> None:
    assert "memory" not in told(out_of_memory(asked={"memory": 512 * MIB}, child=True))
    assert "memory" not in told(out_of_memory(asked={"memory": MIB, "gpu": 1, "device": "TPU", "partition": "2x2"}))
    assert "memory" not in told(failed(asked={"memory": MIB}))


def test_the_json_has_the_same() -> None:
    made = card.bundle(failed(), now=T)
    assert commands_of(shrink(failed(), LEVELS[0])) == made[card.MIME]["commands"]
    for each in made[card.MIME]["commands"]:
        assert each["code"].replace("'", "&#x27;") in made["text/html"]


def test_where_a_run_is_and_what_shows_its_pod() -> None:
    pod = action("a0", None, "running", STARTED, pod="r-1-a0-x7z")
    shown = view(mode="remote", site="arn:aws:eks:eu/team a/research", phase="running", actions=[pod])
    assert "  in cluster arn:aws:eks:eu/team a/research, pod r-1-a0-x7z" in card.text(shown, now=T)
    assert "<code>arn:aws:eks:eu/team a/research</code>" in card.html(shown, now=T)
    described = "!kubectl --context 'arn:aws:eks:eu/team a' -n research describe pod r-1-a0-x7z"
    assert described == told(shown)["kubectl"]
    assert "!kubectl -n jobs describe pod r-1-a0-x7z" == told({**shown, "site": "in-cluster/jobs"})["kubectl"]
    assert "kubectl" not in told({**shown, "actions": []})
    assert "this machine" not in card.html(view(), now=T)


def test_a_called_action_that_asks_for_too_much_has_the_line_for_its_caller() -> None:
    child = action("a1", "a0", "waiting_for_resources", STARTED, instead={"cpu": 2.0, "memory": 1 << 30})
    root = action("a0", None, "running", STARTED, title="train")
    made = card.html(view(phase="running", mode="remote", actions=[root, child], total=2), now=T)
    assert "score.override(resources=flyte.Resources(cpu=2, memory=&#x27;1Gi&#x27;))" in made.replace("&#39;", "&#x27;")
