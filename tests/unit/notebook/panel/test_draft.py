"""Panel → code → panel: what a form holds is a line of code, and the line is the form again."""

from __future__ import annotations

import datetime
import json
import string
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import client as k8s

import flyte_jupyter as flyte
from flyte_jupyter.config.field import Field
from flyte_jupyter.config.param import OVERRIDE
from flyte_jupyter.config.spec import PARAMS
from flyte_jupyter.errors import ConfigError
from flyte_jupyter.notebook.panel import editors
from flyte_jupyter.notebook.panel.code import Code
from flyte_jupyter.notebook.panel.draft import SETTINGS, Draft, draft_of

env = flyte.TaskEnvironment(
    name="panels", resources=flyte.Resources(cpu=1, memory=("1Gi", "2Gi")), env_vars={"MODE": "train"}
)
Mode = Literal["fast", "exact"]


@env.task(retries=3, timeout=60, queue="gpu")
def train(rows: list[int], name: str, deep: bool = False, x: int = 3, mode: Mode = "fast") -> int:
    return sum(rows) * x


@env.task
def first(x: int, /, y: int = 2) -> int:
    return x + y


rows = [1, 2, 3]
NAMES: dict[str, Any] = {"flyte": flyte, "train": train, "first": first, "rows": rows}


def draft(**given: Any) -> Draft:
    made = Draft(train, NAMES)
    made.settings.update(given)
    return made


def layer(task: Any) -> dict[str, Any]:
    """What all overrides of a task have given."""
    layers = (given for level, given in task.layers if level is OVERRIDE)
    found = {name: editors.plainer(value) for given in layers for name, value in given.items()}
    return dict(sorted(found.items()))


def evaluated(line: str) -> Any:
    """The task of a line, as Python makes it."""
    head = line[: line.rindex(")(") + 1] if ".override(" in line else "train"
    return eval(head, {**NAMES, "datetime": datetime})


# --- the property


TEXTS = st.text(string.ascii_letters + string.digits + " .,=\"'\\/-_é\n", max_size=12)
SPEC = {"containers": [{"name": "primary", "env": [{"name": "A", "value": "on"}]}], "nodeSelector": {"zone": "a: b"}}
OF_EDITOR: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "number": st.sampled_from(["0", "1", "3", "1_000", "2.5", "1..4", "x", "-1"]),
    "quantity": st.sampled_from(["0", "1", "0.5", "500m", "1..2", "512Mi", "1Gi..2Gi", "1e3", "auto", "2Gi..1Gi", "x"]),
    "duration": st.sampled_from(["0", "60", "90.5", "1h30m", "30s", "1d5us", "x"]),
    "switch": st.booleans(),
    "pairs": st.lists(st.tuples(TEXTS, TEXTS).map(list), max_size=3),
    "list": st.sampled_from(["", "a", "a,b", "db/api-key=API_KEY,b", '"a, b"']),
    "yaml": st.sampled_from(["", yaml.safe_dump(SPEC), json.dumps(SPEC), "containers: []", "a: [", "nope: 1"]),
    "code": st.sampled_from(["", "[]", 'flyte.Trigger("t", flyte.Cron("0 6 * * *"))']),
}


def raws(f: Field) -> st.SearchStrategy[Any]:
    """What may stand in the editors of a field."""
    if inner := editors.parts(f):
        return st.fixed_dictionaries({part.name: st.just("") | raws(part) if part.editor != "switch" else raws(part)
                                      for part in inner})  # fmt: skip
    if f.editor == "choice":
        return st.sampled_from(["", *f.words()[:6], *map(str, f.examples)])
    return OF_EDITOR[f.editor]


FORMS = st.lists(st.sampled_from(SETTINGS), unique=True, max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: raws(PARAMS[name]) for name in names})
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore:ReusePolicy")
@given(FORMS)
def test_what_a_form_holds_is_a_line_and_the_line_is_the_form(form: dict[str, Any]) -> None:
    made = draft()
    for name, raw in form.items():
        made.settings[name] = raw
        try:
            if made.problem(name):
                del made.settings[name]
            made.task()
        except ConfigError:  # two that do not go together
            del made.settings[name]
    made.inputs = {"rows": "rows", "name": 'a "text"\n'}
    line = made.line()
    again = draft_of(line, NAMES)
    assert line == again.line()
    assert made.settings.keys() == again.settings.keys()
    assert repr(layer(made.task())) == repr(layer(again.task())) == repr(layer(evaluated(line)))
    assert made.call_inputs() == again.call_inputs() == {"rows": rows, "name": 'a "text"\n'}
    assert line == draft_of(made.cell(), NAMES).line()


@settings(max_examples=200, deadline=None)
@given(name=TEXTS, deep=st.booleans(), x=st.integers(), mode=st.sampled_from(["fast", "exact"]))
def test_inputs_are_code_and_come_back(name: str, deep: bool, x: int, mode: str) -> None:
    made = draft()
    made.inputs = {"rows": "rows", "name": name, "deep": deep, "x": str(x), "mode": f'"{mode}"'}
    again = draft_of(made.line(), NAMES)
    assert made.inputs == again.inputs
    assert {"rows": rows, "name": name, "deep": deep, "x": x, "mode": mode} == again.call_inputs()


# --- one by one


def test_a_line_says_what_was_given_in_the_shortest_way() -> None:
    made = draft(retries={"count": "0"}, timeout={"max_runtime": "1h"}, queue="", env_vars=[["A", "b"]])
    made.inputs = {"rows": "rows", "name": "world"}
    expected = 'train.override(env_vars={"A": "b"}, queue="", retries=0, timeout=3600)(rows=rows, name="world")'
    assert expected == made.line()


def test_a_cell_imports_what_the_notebook_has_not() -> None:
    made = Draft(train, {"train": train})
    made.settings = {"resources": {"cpu": "2"}, "timeout": {"max_runtime": "90s"}}
    made.inputs = {"rows": "[]", "name": "a", "x": "datetime.timedelta(1)"}
    assert made.cell().splitlines()[:2] == ["import flyte_jupyter as flyte", "import datetime"]
    assert draft_of(made.cell(), {"train": train}).line() == made.line()


def test_names_are_those_of_the_notebook() -> None:
    names = {"fj": flyte, "timedelta": timedelta, "fit": train}
    made = Draft(train, names)
    made.settings = {"resources": {"cpu": "2"}, "timeout": {"max_runtime": "90s"}}
    expected = "fit.override(resources=fj.Resources(cpu=2), timeout=90)(rows=..., name=...)"
    assert expected == made.line()


VALUES: list[dict[str, Any]] = [
    {"retries": 0},
    {"retries": flyte.RetryStrategy(3, flyte.Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=5)))},
    {"timeout": flyte.Timeout(60, deadline=timedelta(days=1))},
    {"env_vars": {}},
    {"secrets": []},
    {"secrets": [flyte.Secret("a", mount="/etc/flyte/secrets"), "b"]},  # type: ignore[arg-type]
    {"queue": ""},
    {"reusable": "off"},
    {"reusable": flyte.ReusePolicy((1, 4), concurrency=1)},
    {"resources": flyte.Resources(gpu=flyte.GPU("A100", 1, "1g.5gb"))},
    {"resources": flyte.Resources(cpu=(1, "2"), memory="512Mi", gpu=0, shm="auto")},
    {"cache": flyte.Cache("auto", version_override="", ignored_inputs=("rows", "x"), salt=" ")},
    {"pod_template": "gpu-pod"},
    {"pod_template": flyte.PodTemplate(SPEC, labels={"a": "b"})},
    {"pod_template": flyte.PodTemplate(k8s.V1PodSpec(containers=[k8s.V1Container(name="primary")]))},
    {"short_name": " a "},
    {"triggers": flyte.Trigger("t", flyte.Cron("0 6 * * *"), inputs={"rows": [1], "name": "x"})},
    {"links": []},
    {"interruptible": True},
    {"service_account": "trainer"},
    {"max_inline_io_bytes": 5},
    {"report": True},
    {"entrypoint": True},
    {"produces_artifacts": True},
]


@pytest.mark.parametrize("given_", VALUES, ids=str)
def test_an_override_opens_as_the_form_of_its_line(given_: dict[str, Any]) -> None:
    made = Draft(train.override(**given_), NAMES)
    assert {} == {name: made.problem(name) for name in made.settings if made.problem(name)}
    assert list(given_) == list(made.settings)
    again = draft_of(made.line(), NAMES)
    assert made.line() == again.line()
    expected = {name: editors.plainer(value) for name, value in layer(train.override(**given_)).items()}
    assert repr(expected) == repr(layer(again.task()))


def test_every_parameter_is_among_these_but_the_plugins_whose_values_are_their_own() -> None:
    assert {*SETTINGS} - {"plugin_config"} == {name for given_ in VALUES for name in given_}


def test_what_editors_cannot_hold_is_edited_as_python() -> None:
    made = Draft(train.override(resources=flyte.Resources(gpu=flyte.GPU("A100", 1, "1g.5gb"))), NAMES)
    assert isinstance(made.settings["resources"], Code)


def test_a_value_without_code_is_the_tasks_own() -> None:
    class Where:
        name, icon_uri = "there", None

        def get_link(self, *_: Any, **__: Any) -> str:
            return "https://example.org"

    task = train.override(links=Where(), retries=1)
    made = Draft(task, {**NAMES, "mine": task})
    assert "mine(rows=..., name=...)" == made.line()


def test_names_of_the_user_stay_names() -> None:
    mine = {"A": "b"}
    line = "train.override(env_vars=mine, retries=1)(rows=rows, name=who)"
    made = draft_of(line, {**NAMES, "mine": mine, "who": "me"})
    assert line == made.line()
    assert mine == made.task().env_vars
    assert "me" == made.call_inputs()["name"]


def test_overrides_of_overrides_are_one() -> None:
    made = Draft(train.override(retries=1, queue="a").override(retries=2), NAMES)
    assert 'train.override(queue="a", retries=2)(rows=..., name=...)' == made.line()


def test_inputs_by_position_come_back() -> None:
    made = draft_of("await train([1, 2], 'x', x=1 + 1)", NAMES)
    assert 'train(rows=[1, 2], name="x", x=1 + 1)' == made.line()
    assert "is not computed here" in made.input_problem("x")
    assert "first(4, y=5)" == draft_of("flyte.run(first, 4, y=5)", NAMES).line()
    assert {"x": 4, "y": 5} == draft_of("first(4, y=5)", NAMES).call_inputs()


# --- what is wrong with it


MISTAKES: list[tuple[str, Any, Callable[[], object]]] = [
    ("retries", {"count": "-1"}, lambda: train.override(retries=-1)),
    ("env_vars", [["1 A", "b"]], lambda: train.override(env_vars={"1 A": "b"})),
    ("resources", {"memory": "1Gigabyte"}, lambda: flyte.Resources(memory="1Gigabyte")),
    ("resources", {"memory": "2Gi..1Gi", "cpu": "x"}, lambda: flyte.Resources(memory=("2Gi", "1Gi"), cpu="x")),
    ("max_inline_io_bytes", "-5", lambda: train.override(max_inline_io_bytes=-5)),
    ("reusable", {"idle_ttl": "5"}, lambda: flyte.ReusePolicy(idle_ttl=5)),
    ("triggers", "1", lambda: train.override(triggers=1)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("name", "raw", "as_code"), MISTAKES, ids=lambda one: "" if callable(one) else str(one))
def test_mistakes_are_told_as_code_tells_them(name: str, raw: Any, as_code: Callable[[], object]) -> None:
    with pytest.raises(ConfigError) as caught:
        as_code()
    assert str(caught.value) == draft(**{name: raw}).problem(name)


def test_what_does_not_go_together_is_told_when_it_is_run() -> None:
    made = draft(reusable={}, resources={"cpu": "1"})
    assert ("", "") == (made.problem("reusable"), made.problem("resources"))
    with pytest.raises(ConfigError, match="cannot be overridden while the task is reusable"):
        made.task()


def test_inputs_that_do_not_fit_are_told_as_the_call_tells_them() -> None:
    made = draft()
    made.inputs = {"rows": "rows", "name": "x", "x": '"three"'}
    with pytest.raises(ConfigError) as caught:
        flyte.run(train, rows, name="x", x="three")
    assert str(caught.value).partition("\nDeclared")[0] == made.input_problem("x")
    with pytest.raises(ConfigError, match="Missing required inputs: rows, name"):
        draft().call_inputs()


def test_nothing_is_run_while_somebody_types() -> None:
    called: list[int] = []
    made = Draft(train, {**NAMES, "harm": lambda: called.append(1)})
    made.inputs = {"x": "harm()"}
    assert "harm(): is not computed here" in made.input_problem("x")
    made.inputs = {"x": "[harm() for _ in rows]"}
    assert "is not computed here" in made.input_problem("x")
    assert [] == called


def test_an_unknown_name_comes_with_the_nearest() -> None:
    made = draft()
    made.inputs = {"rows": "rwos"}
    assert "did you mean 'rows'?" in made.input_problem("rows")


@pytest.mark.parametrize(
    "source", ["", "1", "rows", "train(", "x = 1", "nobody", "rows()", "train.override(retries=-1)"]
)
def test_a_line_that_is_no_call_of_a_task_is_refused(source: str) -> None:
    with pytest.raises(ConfigError):
        draft_of(source, NAMES)
