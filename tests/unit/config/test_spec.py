"""The table is Flyte's, and everything made from it agrees with it."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path

import pytest

from flyte_jupyter.config import generate
from flyte_jupyter.config.signature import annotation
from flyte_jupyter.config.spec import PARAMS, Level, TaskSpec
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import RetryStrategy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.task import Task

E, D, OV = Level.ENV, Level.TASK, Level.OVERRIDE
NO = Level(0)

TABLE = {
    "name": (E | NO, ""),
    "image": (E, "auto"),
    "depends_on": (E, ()),
    "description": (E, None),
    "plugin_config": (E | OV, None),
    "include": (E, ()),
    "resources": (E | OV, None),
    "env_vars": (E | OV, {}),
    "secrets": (E | OV, ()),
    "service_account": (E | D | OV, None),
    "cache": (E | D | OV, Cache("disable")),
    "pod_template": (E | D | OV, None),
    "reusable": (E | OV, None),
    "interruptible": (E | D | OV, False),
    "queue": (E | D | OV, None),
    "short_name": (D | OV, None),
    "retries": (D | OV, RetryStrategy(0)),
    "timeout": (D | OV, Timeout()),
    "max_inline_io_bytes": (D | OV, 10 * 1024 * 1024),
    "links": (D | OV, ()),
    "report": (D | OV, False),
    "triggers": (D | OV, ()),
    "docs": (D, None),
    "entrypoint": (D | OV, False),
    "produces_artifacts": (D | OV, False),
}


def test_levels_and_defaults_are_flytes() -> None:
    assert {name: (p.levels, p.default) for name, p in PARAMS.items()} == TABLE


def test_a_spec_of_nothing_has_the_defaults() -> None:
    spec = TaskSpec()
    assert {f.name: getattr(spec, f.name) for f in fields(spec)} == {
        name: default for name, (_, default) in TABLE.items()
    }


def test_a_spec_shows_what_differs() -> None:
    assert repr(TaskSpec(name="e", env_vars={"A": "1"})) == "TaskSpec(name='e', env_vars={'A': '1'})"


def test_the_reuse_lock_is_the_footnote() -> None:
    locked = {name for name, p in PARAMS.items() if p.reuse_locked}
    assert locked == {"resources", "env_vars", "secrets", "service_account"}


@pytest.mark.parametrize("name", PARAMS)
def test_every_parameter_is_documented(name: str) -> None:
    doc = PARAMS[name].doc
    assert (doc[-1], "\n" in doc, len(doc) < 120) == (".", False, True)


@pytest.mark.parametrize(
    ("level", "func", "first"),
    [
        (E, TaskEnvironment.__init__, ["self"]),
        (D, TaskEnvironment.task, ["self", "func"]),
        (OV, Task.override, ["self"]),
    ],
)
def test_signatures_are_the_table(level: Level, func: object, first: list[str]) -> None:
    signature = inspect.signature(func)  # type: ignore[arg-type]
    assert list(signature.parameters) == [*first, *(name for name, p in PARAMS.items() if p.levels & level)]


@pytest.mark.parametrize(
    ("level", "func"), [(E, TaskEnvironment.__init__), (D, TaskEnvironment.task), (OV, Task.override)]
)
def test_the_documentation_explains_every_setting(level: Level, func: object) -> None:
    lines = (inspect.getdoc(func) or "").splitlines()
    for name, p in PARAMS.items():
        assert (f"    {name}: {p.doc}" in lines) == bool(p.levels & level and name != "name")


def test_a_signature_shows_types_and_defaults() -> None:
    override, task = inspect.signature(Task.override).parameters, inspect.signature(TaskEnvironment.task).parameters
    assert str(override["retries"]) == "retries: 'int | RetryStrategy | None' = None"
    assert str(task["retries"]) == "retries: 'int | RetryStrategy | None' = RetryStrategy(0)"
    assert (annotation(E, PARAMS["reusable"]), annotation(OV, PARAMS["reusable"])) == (
        "ReusePolicy | None",
        'ReusePolicy | Literal["off"] | None',
    )


def test_what_is_made_from_the_table_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert (generate.main(["--check"]), capsys.readouterr().err) == (0, "")
    assert [path.name for path in generate.made()] == ["settings.py", "pod_spec.json", "parameters.md"]


@pytest.mark.parametrize("name", ["SETTINGS", "PARAMETERS"])
def test_a_stale_file_fails_the_check(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, name, tmp_path / "stale")
    assert (generate.main(["--check"]), str(tmp_path / "stale") in capsys.readouterr().err) == (1, True)
    assert (generate.main([]), generate.main(["--check"])) == (0, 0)


def test_a_spec_as_json() -> None:
    spec = TaskSpec(
        name="e", resources=Resources(cpu=1), secrets=(Secret("token"),), depends_on=(TaskEnvironment("json_a"),)
    )
    data = spec.to_json()
    assert json.loads(json.dumps(data)) == data
    assert (data["resources"], data["depends_on"]) == ({"type": "Resources", "cpu": 1}, ["json_a"])
    assert list(data) == list(PARAMS)
