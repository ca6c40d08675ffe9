"""What looks like a credential is in no line, no cell and no saved notebook, and gets not lost."""

from __future__ import annotations

from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.notebook.panel import hidden, look
from flyte_jupyter.notebook.panel.draft import Draft, draft_of

env = flyte.TaskEnvironment(name="hides", env_vars={"API_TOKEN": "hunter2", "A": "b"})


@env.task
def train(x: int = 1) -> int:
    return x


plain = flyte.TaskEnvironment(name="plain")


@plain.task
def bare() -> None: ...


SPEC = {"containers": [{"name": "primary", "env": [{"name": "API_TOKEN", "value": "hunter2"}]}]}
mine: dict[str, Any] = {"flyte": flyte, "train": train, "bare": bare}


def draft(variables: dict[str, Any], **given: Any) -> Draft:
    made = Draft(bare, {**mine, **variables})
    made.settings.update(given)
    return made


def test_a_line_has_what_the_notebook_calls_it() -> None:
    rows = {"env_vars": [["API_TOKEN", "hunter2"], ["B", "c"]]}
    expected = 'bare.override(env_vars={"API_TOKEN": train.env_vars["API_TOKEN"], "B": "c"})()'
    assert expected == draft({}, **rows).line()
    assert 'bare.override(env_vars={"API_TOKEN": token, "B": "c"})()' == draft({"token": "hunter2"}, **rows).line()
    assert (
        "bare.override(env_vars=train.env_vars)()" == draft({}, env_vars=[["API_TOKEN", "hunter2"], ["A", "b"]]).line()
    )


def test_that_line_comes_back_with_its_value() -> None:
    made = draft({}, env_vars=[["API_TOKEN", "hunter2"], ["B", "c"]])
    again = draft_of(made.line(), made.variables)
    assert made.line() == again.line()
    assert {"API_TOKEN": "hunter2", "B": "c"} == again.task().env_vars == made.task().env_vars


def test_what_has_no_name_is_left_open_in_line_cell_and_saved_notebook() -> None:
    made = draft({}, env_vars=[["API_TOKEN", "other"], ["B", "c"]])
    assert 'bare.override(env_vars={"API_TOKEN": ..., "B": "c"})()' == made.line()
    assert "other" not in made.cell() + str(look.saved(made))
    assert {"API_TOKEN": "other", "B": "c"} == made.task().env_vars


@pytest.mark.parametrize(
    "line",
    [
        'bare.override(env_vars={"API_TOKEN": "other", "B": "c"})()',
        'bare.override(env_vars={"API_TOKEN": "other", "B": mine})()',
        'bare.override(env_vars={"A": "https://me:other@example.org"})()',
        'bare.override(triggers=flyte.Trigger("t", flyte.Cron("0 6 * * *"), env_vars={"API_TOKEN": "other"}))()',
        f"bare.override(pod_template=flyte.PodTemplate({SPEC}))()".replace("hunter2", "other"),
    ],
)
def test_one_that_is_typed_into_the_line_leaves_it(line: str) -> None:
    made = draft_of(line, {**mine, "mine": "c"})
    assert "other" not in made.line()
    assert "other" in repr(made.task().layers)


def test_one_in_a_pod_template_is_named_by_who_has_it() -> None:
    task = train.override(pod_template=flyte.PodTemplate(SPEC))
    assert "train.override(pod_template=kept.pod_template)()" == Draft(task, {**mine, "kept": task}).line()
    assert "train.override(pod_template=...)()" == Draft(task, mine).line()


def test_code_and_yaml_are_looked_into() -> None:
    assert hidden.is_in_code('{"API_TOKEN": "x"}')
    assert hidden.is_in_code('[{"name": "API_TOKEN", "value": "x"}]')
    assert not hidden.is_in_code('{"API_TOKEN": token}')
    assert hidden.is_in_yaml("containers: [{name: a, env: [{name: API_TOKEN, value: x}]}]")
    assert not hidden.is_in_yaml("containers: [{name: a, env: [{name: API_TOKEN")
    assert not hidden.is_in_yaml("nodeSelector: {key: x}")
