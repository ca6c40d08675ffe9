"""Levels: what may be set where, which value wins, and what is said."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.config.effective import EffectiveConfig
from flyte_jupyter.config.resolve import Layers, check, resolve
from flyte_jupyter.config.spec import ENV, OVERRIDE, PARAMS, TASK, Level
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret

VALID: dict[str, Any] = {
    "name": "env",
    "image": "python:3.12",
    "depends_on": [],
    "description": "text",
    "plugin_config": object(),
    "include": ["a.py"],
    "resources": Resources(cpu=1),
    "env_vars": {"A": "1"},
    "secrets": "token",
    "service_account": "me",
    "cache": "auto",
    "pod_template": "gpu",
    "reusable": ReusePolicy(),
    "interruptible": True,
    "queue": "q",
    "short_name": "s",
    "retries": 1,
    "timeout": 1,
    "max_inline_io_bytes": 1,
    "links": [],
    "report": True,
    "triggers": [],
    "docs": "text",
    "entrypoint": True,
    "produces_artifacts": True,
}
FIXED = {"name", "image", "docs"}
CASES = [(level, name) for level in (ENV, TASK, OVERRIDE) for name in PARAMS]


@pytest.mark.parametrize(("level", "name"), CASES)
def test_a_parameter_is_taken_exactly_where_it_belongs(level: Level, name: str) -> None:
    if PARAMS[name].levels & level:
        assert list(check(level, {name: VALID[name]})) == [name]
        return
    expected = ValueError if level is OVERRIDE and name in FIXED else TypeError
    with pytest.raises(expected) as caught:
        check(level, {name: VALID[name]})
    assert (isinstance(caught.value, TypeError), isinstance(caught.value, ValueError)) == (
        expected is TypeError,
        expected is ValueError,
    )


@pytest.mark.parametrize(
    ("level", "given", "message"),
    [
        (
            TASK,
            {"retires": 3},
            (
                "retires: not a parameter of @env.task(...)\n"
                "  did you mean 'retries'?\n"
                "  retries may be set in @env.task(...), task.override(...)"
            ),
        ),
        (
            TASK,
            {"resources": Resources()},
            (
                "resources: not a parameter of @env.task(...)\n"
                "  resources may be set in TaskEnvironment(...), task.override(...)\n"
                "  for one task: my_task.override(resources=...)"
            ),
        ),
        (
            OVERRIDE,
            {"image": "x"},
            (
                "Image cannot be overridden (given: image= in task.override(...))\n"
                "  image may be set in TaskEnvironment(...)\n"
                "  for another environment: env.clone_with(name, image=...)"
            ),
        ),
        (OVERRIDE, {"interface": 1}, "Interface cannot be overridden\n  it is what the function's annotations say"),
        (OVERRIDE, {"cpu": 1}, "cpu: not a parameter of task.override(...)\n  write resources=Resources(cpu=...)"),
        (
            OVERRIDE,
            {"retries": "x", "timeout": -1},
            (
                "2 problems\n"
                "retries must be an int or RetryStrategy: 'x' is not accepted\n"
                "  allowed: an int of 0 or more, or RetryStrategy(count, backoff=None)\n"
                "timeout: -1 is not accepted\n"
                "  allowed: seconds or a timedelta, 0 or more, or Timeout(max_runtime, max_queued_time, deadline)\n"
                "  the nearest is 0"
            ),
        ),
    ],
)
def test_messages(level: Level, given: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        check(level, given)
    assert str(caught.value) == message


def test_problems_of_both_kinds_are_an_error_of_both_kinds() -> None:
    with pytest.raises(TypeError) as caught:
        check(OVERRIDE, {"bogus": 1, "retries": -1})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "given",
    [
        {"env_vars": {"A": 1}},
        {"env_vars": [("A", "1")]},
        {"secrets": 3},
        {"interruptible": 1},
        {"queue": 3},
        {"service_account": 3},
        {"short_name": 3},
        {"report": "yes"},
        {"max_inline_io_bytes": "10"},
        {"links": 3},
        {"triggers": 3},
        {"resources": {"cpu": 1}},
        {"pod_template": PodTemplate},
    ],
)
def test_values_of_a_wrong_type(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        check(OVERRIDE, given)


@pytest.mark.parametrize(
    "given", [{"env_vars": {"1A": "x"}}, {"max_inline_io_bytes": -1}, {"retries": -1}, {"cache": "x"}]
)
def test_values_out_of_range(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        check(OVERRIDE, given)


def layers(*given: tuple[Level, dict[str, Any]]) -> Layers:
    found: Layers = ()
    for level, settings in given:
        found = (*found, (level, check(level, settings, found)))
    return found


def value(name: str, *given: tuple[Level, dict[str, Any]]) -> Any:
    return getattr(resolve(layers(*given)).spec, name)


def test_override_beats_decorator_beats_environment() -> None:
    env, task, override = (ENV, {"queue": "e"}), (TASK, {"queue": "d"}), (OVERRIDE, {"queue": "o"})
    assert [value("queue", *levels) for levels in ((), (env,), (env, task), (env, task, override))] == [
        None,
        "e",
        "d",
        "o",
    ]


def test_a_later_override_beats_an_earlier_one() -> None:
    assert value("queue", (OVERRIDE, {"queue": "1"}), (OVERRIDE, {"retries": 1}), (OVERRIDE, {"queue": "2"})) == "2"


def test_values_are_replaced_whole() -> None:
    env = (ENV, {"resources": Resources(cpu=1, memory="1Gi"), "env_vars": {"A": "1"}})
    override = (OVERRIDE, {"resources": Resources(cpu=4), "env_vars": {"B": "2"}})
    assert value("resources", env, override) == Resources(cpu=4)
    assert value("env_vars", env, override) == {"B": "2"}


@pytest.mark.parametrize(
    ("name", "below", "given", "expected"),
    [
        ("env_vars", {"A": "1"}, {}, {}),
        ("secrets", "token", [], ()),
        ("interruptible", True, False, False),
        ("queue", "q", "", None),
        ("service_account", "me", "", None),
        ("pod_template", "gpu", "", None),
        ("reusable", ReusePolicy(), "off", None),
        ("resources", Resources(cpu=1), Resources(), Resources()),
    ],
)
def test_an_empty_value_counts(name: str, below: Any, given: Any, expected: Any) -> None:
    resolved = resolve(layers((ENV, {name: below}), (OVERRIDE, {name: given})))
    assert (getattr(resolved.spec, name), resolved.levels[name]) == (expected, OVERRIDE)


@pytest.mark.parametrize("name", [name for name, p in PARAMS.items() if OVERRIDE & p.levels])
def test_none_is_not_given(name: str) -> None:
    assert check(OVERRIDE, {name: None}) == {}


def test_false_at_the_decorator_beats_true_at_the_environment() -> None:
    assert value("interruptible", (ENV, {"interruptible": True}), (TASK, {"interruptible": False})) is False


def test_off_belongs_in_an_override() -> None:
    with pytest.raises(TypeError, match="override"):
        check(ENV, {"reusable": "off"})


REUSABLE: Layers = ((ENV, {"reusable": ReusePolicy()}),)
LOCKED: list[tuple[str, Any]] = [
    ("resources", Resources(cpu=1)),
    ("env_vars", {}),
    ("secrets", []),
    ("service_account", "me"),
]


@pytest.mark.parametrize(("name", "given"), LOCKED)
def test_a_reusable_task_keeps_what_its_processes_are_made_with(name: str, given: Any) -> None:
    with pytest.raises(ValueError, match=f'(?s){name}.*reusable="off"'):
        check(OVERRIDE, {name: given}, REUSABLE)
    with pytest.raises(ValueError, match=name):
        check(OVERRIDE, {name: given, "reusable": ReusePolicy()})
    assert set(check(OVERRIDE, {name: given, "reusable": "off"}, REUSABLE)) == {name, "reusable"}


def test_all_locked_parameters_are_named_at_once() -> None:
    with pytest.raises(ValueError, match="4 problems") as caught:
        check(OVERRIDE, dict(LOCKED), REUSABLE)
    assert [name for name, _ in LOCKED if f"{name}: cannot be overridden" in str(caught.value)] == [
        n for n, _ in LOCKED
    ]


def test_once_off_a_later_override_is_free() -> None:
    off = (*REUSABLE, (OVERRIDE, check(OVERRIDE, {"reusable": "off"}, REUSABLE)))
    assert check(OVERRIDE, {"env_vars": {"A": "1"}}, off) == {"env_vars": {"A": "1"}}


def test_the_decorator_of_a_reusable_environment() -> None:
    account: Layers = ((ENV, {"reusable": ReusePolicy(), "service_account": "me"}),)
    with pytest.raises(ValueError, match="pod_template"):
        check(TASK, {"pod_template": "gpu"}, REUSABLE)
    with pytest.raises(ValueError, match="service_account"):
        check(TASK, {"service_account": "you"}, account)
    assert check(TASK, {"service_account": "me"}, account) == {"service_account": "me"}


def test_the_effective_configuration() -> None:
    resolved = resolve(
        layers((ENV, {"cache": "auto"}), (TASK, {"retries": 3}), (OVERRIDE, {"queue": "<q>"})), short_name="f"
    )
    effective = EffectiveConfig("title <b>", resolved)
    assert (effective.value("cache"), effective["queue"], len(effective)) == (Cache("auto"), "<q>", len(PARAMS))
    assert [effective.level(name) for name in ("cache", "retries", "queue", "report")] == [
        "environment",
        "decorator",
        "override",
        "default",
    ]
    lines = repr(effective).splitlines()
    assert lines[0] == "title <b>"
    assert [line.split() for line in lines if line.startswith(("cache", "queue"))] == [
        ["cache", "auto", "environment"],
        ["queue", "<q>", "override"],
    ]
    assert ("&lt;q&gt;" in effective._repr_html_(), "<b>" in effective._repr_html_()) == (True, False)
    with pytest.raises(KeyError):
        effective.level("bogus")


def test_secrets_become_secrets() -> None:
    assert value("secrets", (ENV, {"secrets": ["a", Secret("b")]})) == (Secret("a"), Secret("b"))
