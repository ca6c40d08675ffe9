from __future__ import annotations

import pytest

from flyte_jupyter.config import text
from flyte_jupyter.config.spec import PARAMS, Level
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.engine.options import OPTIONS
from flyte_jupyter.notebook.magics import call, cell, environments, runs
from flyte_jupyter.notebook.magics.options import TASK_LEVELS, Line, OptionError, Parser, split_levels, values

TASK, ENV, RUNS, RUN = cell.TASK.parser, environments.ENV.parser, runs.RUNS.parser, call.RUN.parser
OVERRIDE = call.OVERRIDE.parser


def test_words_options_and_settings() -> None:
    found = TASK.parse(
        "summing --env my_env --retries 3 --cpu 1 --memory=512Mi -i rows,k -i more -o total --background"
    )
    assert ("summing",) == found.words
    assert {"--retries": "3", "--cpu": "1", "--memory": "512Mi"} == dict(found.settings)
    assert (("rows", "k", "more"), ("total",)) == (found.names("--inputs"), found.names("--output"))
    assert "--background" in found.options


def test_every_setting_of_the_table_is_an_option() -> None:
    for parser, level in ((TASK, Level.TASK | Level.OVERRIDE), (ENV, Level.ENV)):
        flags = {flag.name for flag in parser.flags}
        assert {option.flag for option in text.options(level)} <= flags


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--interruptible", {"--interruptible": "true"}),
        ("--interruptible=false", {"--interruptible": "false"}),
        ("--env-vars A=1 --env-vars B=2", {"--env-vars": "A=1,B=2"}),
        ("--short-name 'two words'", {"--short-name": "two words"}),
        ("--timeout 60 --timeout 90", {"--timeout": "90"}),
    ],
)
def test_settings(line: str, expected: dict[str, str]) -> None:
    assert expected == dict(TASK.parse(line).settings)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--retrys 3", "no option --retrys; did you mean --retries?"),
        ("--memroy=1Gi", "no option --memroy; did you mean --memory?"),
        ("-retries 3", "no option -retries; did you mean --retries?"),
        ("--retries", "--retries needs a value"),
        ("--retries --cpu 1", "--retries needs a value"),
        ("--background=yes", "--background takes no value"),
        ("one two", "'two' is one word too many"),
        ("--short-name 'open", "No closing quotation"),
        ("-x", "no option -x; see --help"),
        ("--image python:3.12", "no option --image; --image is given to an environment: %flyte_env NAME"),
        ("--descripton x", "did you mean --description?; --description is given to an environment"),
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        TASK.parse(line)
    assert message in str(caught.value)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        TASK.parse("one two --retrys 3 --background=yes --memory 512m --timeout soon --image x --env")
    said = str(caught.value).splitlines()
    for message in (
        "no option --retrys; did you mean --retries?",
        "--background takes no value",
        "no option --image; --image is given to an environment: %flyte_env NAME",
        "--env needs a value: --env NAME",
        "'two' is one word too many",
        "timeout: 'soon' is not accepted",
        "memory: '512m' is not accepted",
    ):
        assert 1 == sum(message in line for line in said), message
    assert 1 == sum(line.startswith("usage:") for line in said)


def test_an_option_of_tasks_is_not_one_of_environments() -> None:
    with pytest.raises(OptionError, match=r"no option --retries; --retries is given to a task: %%flyte_task"):
        ENV.parse("e --retries 3")


@pytest.mark.parametrize(
    "line", ["-o df,m", "-o df, m", "-o df ,m", "-o df , m", "-o=df, m", "--output df -o m", "-odf, m"]
)
def test_names_may_be_apart(line: str) -> None:
    found = TASK.parse(f"{line} --retries 3")
    assert ((), ("df", "m")) == (found.words, found.names("--output"))
    assert {"--retries": "3"} == dict(found.settings)


def test_a_list_that_ends_with_a_comma_takes_no_option() -> None:
    found = TASK.parse("-o df, --env-vars A=1, B=2")
    assert (("df",), {"--env-vars": "A=1,B=2"}) == (found.names("--output"), dict(found.settings))


def test_short_forms() -> None:
    assert "5" == RUNS.parse("-n5").options["--number"] == RUNS.parse("-n 5").options["--number"]
    assert "--help" in TASK.parse("-h").options


def test_what_the_decorator_takes_and_what_an_override_takes() -> None:
    task, override = split_levels({"--retries": "3", "--cpu": "1"}, {})
    assert ({"retries"}, {"resources"}) == (set(task), set(override))


@pytest.mark.parametrize("parser", [TASK, ENV, RUNS])
def test_help_names_every_option_under_a_heading(parser: Parser) -> None:
    said = parser.help()
    assert all(flag.name in said for flag in parser.flags)
    assert max(map(len, said.splitlines())) <= 110
    lines = said.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        assert below.startswith("  -") or line not in ("Options:", "Settings:")


@pytest.mark.parametrize(
    ("line", "code", "settings"),
    [
        ("train(rows, k=2)", "train(rows, k=2)", {}),
        ("train(rows) --retries 3", "train(rows)", {"--retries": "3"}),
        ("--retries 3 train(rows, 'a -- b')", "train(rows, 'a -- b')", {"--retries": "3"}),
        ("train(rows, x=-1) --memory=1Gi --retries 0", "train(rows, x=-1)", {"--memory": "1Gi", "--retries": "0"}),
        ("train.override(retries=1)([1, 2]) --short-name 'a b'", "train.override(retries=1)([1, 2])",
         {"--short-name": "a b"}),
        ("train(x -1) --retries 2", "train(x -1)", {"--retries": "2"}),
        ("train(rows)  # without --retries 3", "train(rows)", {}),
        ("train('a # b') --retries 2  # and a comment", "train('a # b')", {"--retries": "2"}),
    ],
)  # fmt: skip
def test_python_with_options_before_and_behind(line: str, code: str, settings: dict[str, str]) -> None:
    found = RUN.parse(line)
    assert (code, settings) == (found.code, dict(found.settings))


def test_a_comment_ends_the_line() -> None:
    assert RUNS.parse("-n 5") == RUNS.parse("-n 5  # the last ones --help")
    assert Line() == RUNS.parse("# all")
    assert {"--env-vars": "COLOR=#fff", "--short-name": "#1"} == TASK.parse(
        "--env-vars COLOR=#fff --short-name '#1'"
    ).settings


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--triggers {nightly}", "{nightly}"),
        ("--triggers={Trigger('n', Cron('0 6 * * *'))} --retries 3", "{Trigger('n', Cron('0 6 * * *'))}"),
        ("--triggers {[x for x in {1: {2}}]} -o a", "{[x for x in {1: {2}}]}"),
    ],
)
def test_python_in_braces_is_one_word(line: str, expected: str) -> None:
    assert expected == TASK.parse(line).settings["--triggers"]


def test_python_in_braces_is_evaluated_in_the_notebook() -> None:
    variables = {"n": 3, "size": "2Gi", "own": {"MODE": "test"}}
    found = values({"--retries": "{n + 1}", "--memory": "{size}", "--env-vars": "{own}"}, TASK_LEVELS, variables)
    assert {"retries": 4, "env_vars": {"MODE": "test"}, "resources": Resources(memory="2Gi")} == found


def test_braces_that_hold_no_python_are_text() -> None:
    assert {"--short-name": "{a b}"} == dict(TASK.parse("--short-name '{a b}'").settings)


def test_every_parameter_of_decorator_and_override_is_an_option() -> None:
    flags = {flag.name for flag in TASK.flags}
    missing = [
        name for name, p in PARAMS.items() if p.levels & TASK_LEVELS and f"--{name}".replace("_", "-") not in flags
    ]
    assert [] == missing


@pytest.mark.parametrize("parser", [TASK, RUN, OVERRIDE])
def test_each_option_of_a_run_is_one_of_the_magics_that_start_runs(parser: Parser) -> None:
    assert set() == {name for name in OPTIONS if parser.flag(text.flag_of(name)) is None}
