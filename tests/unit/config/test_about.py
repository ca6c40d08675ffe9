"""What a task is for, in words."""

from __future__ import annotations

from flyte_jupyter.config.about import documentation
from flyte_jupyter.config.values.trigger import Cron, Trigger
from flyte_jupyter.environment import TaskEnvironment

env = TaskEnvironment("models", description="Models for penguins", env_vars={"TOKEN": "hush"})


@env.task(short_name="Training", retries=3, triggers=Trigger("nightly", Cron("0 6 * * *", "Europe/Berlin")))
def train(x: int) -> int:
    """Fits the model.

    Takes an hour.
    """
    return x


@env.task(docs="Says hello.")
def hello() -> None:
    """Not this."""


@env.task
def plain() -> None: ...


def test_documentation_is_what_docs_says_else_the_docstring() -> None:
    assert "Fits the model.\n\nTakes an hour." == documentation(train.spec, train.func)
    assert "Says hello." == documentation(hello.spec, hello.func)
    assert "" == documentation(plain.spec, plain.func)


def test_what_a_question_mark_shows() -> None:
    expected = """\
Training (models.train)

Fits the model.

Takes an hour.

Environment models: Models for penguins
Trigger nightly: every day at 06:00 (Europe/Berlin); deploy the environment to activate it, flyte.deploy(...)
Settings: env_vars TOKEN=…; retries 3 (.effective_config() says where they come from)"""
    assert expected == train.getdoc()
    assert hello.getdoc().startswith(
        "Says hello.\n\nEnvironment models: Models for penguins\nSettings: env_vars TOKEN=…"
    )


def test_values_of_environment_variables_are_not_shown() -> None:
    assert "hush" not in train.getdoc()
