from __future__ import annotations

import pytest

from flyte_jupyter.config import text
from flyte_jupyter.config.spec import Level
from flyte_jupyter.notebook.options import ENV, RUNS, TASK, OptionError, split_levels


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
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        TASK.parse(line)
    assert message in str(caught.value)


def test_short_forms() -> None:
    assert "5" == RUNS.parse("-n5").options["--number"] == RUNS.parse("-n 5").options["--number"]
    assert "--help" in TASK.parse("-h").options


def test_what_the_decorator_takes_and_what_an_override_takes() -> None:
    task, override = split_levels({"--retries": "3", "--cpu": "1"})
    assert ({"retries"}, {"resources"}) == (set(task), set(override))


def test_help_names_every_option() -> None:
    said = TASK.help()
    assert all(flag.name in said for flag in TASK.flags)
    assert max(map(len, said.splitlines())) <= 110
