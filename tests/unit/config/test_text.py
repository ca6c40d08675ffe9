"""Text and values: what is formatted is read back as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.config.codec import codec_of
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.config.spec import PARAMS, Level
from flyte_jupyter.config.text import collect, format, options, overrides, parse
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.device import GPU
from flyte_jupyter.config.values.documentation import Documentation
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.errors import ConfigError

ANY = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
CORES = (
    st.integers(0, 999)
    | st.floats(0, 999).map(lambda x: round(x, 3))
    | st.integers(1, 9999).map("{}m".format)
    | st.just("2")
)
SIZE = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from(["Mi", "Gi", "M", "G", ""]))
TIME = st.timedeltas(timedelta(), timedelta(days=99)) | st.integers(0, 10**6) | st.floats(0, 1e6)


def pair(low: str | int, high: str | int) -> st.SearchStrategy[Any]:
    return st.just((low, high))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "image": st.sampled_from(["auto", Image.from_base("python:3.12")]),
    "description": WORD,
    "include": st.lists(ANY, max_size=3).map(tuple),
    "resources": st.builds(
        Resources,
        cpu=st.none() | CORES | pair("500m", 2),
        memory=st.none() | SIZE | pair("1Gi", "2Gi"),
        gpu=st.none() | st.integers(0, 8) | st.just("T4:2") | st.just("A10G shared:1"),
        disk=st.none() | SIZE,
        shm=st.none() | SIZE | st.just("auto"),
    ),
    "env_vars": st.dictionaries(WORD, ANY, max_size=3),
    "secrets": st.lists(
        st.builds(Secret, WORD, st.none() | WORD, as_env_var=st.none() | st.just("X_1")),
        max_size=3,
        unique_by=lambda secret: secret.as_env_var,
    ).map(tuple),
    "service_account": WORD,
    "cache": st.builds(
        Cache,
        st.sampled_from(["auto", "override", "disable"]),
        version_override=st.none() | ANY,
        serialize=st.booleans(),
        ignored_inputs=st.lists(WORD, max_size=2).map(tuple),
        salt=ANY,
        max_age=st.none() | st.timedeltas(timedelta(), timedelta(days=9)),
    ),
    "pod_template": WORD,
    "reusable": st.just("off")
    | st.builds(ReusePolicy, st.tuples(st.integers(0, 3), st.integers(3, 9)), st.integers(30, 99)),
    "interruptible": st.booleans(),
    "queue": WORD,
    "short_name": WORD,
    "retries": st.builds(RetryStrategy, st.integers(0, 99)),
    "timeout": st.builds(Timeout, st.none() | TIME, st.none() | TIME, st.none() | TIME),
    "max_inline_io_bytes": st.integers(0),
    "report": st.booleans(),
    "docs": st.builds(Documentation, WORD),
    "entrypoint": st.booleans(),
    "produces_artifacts": st.booleans(),
}


def test_every_parameter_with_a_text_form_is_tried() -> None:
    assert {*VALUES, "name"} == {name for name, p in PARAMS.items() if codec_of(p) is not None}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
def test_what_is_formatted_is_read_back(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    assert parse(name, format(name, value)) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("retries", "3", RetryStrategy(3)),
        ("timeout", "60", Timeout(60)),
        ("timeout", "1h", Timeout(timedelta(hours=1))),
        ("timeout", "max_runtime=90s, deadline=2h", Timeout(timedelta(seconds=90), deadline=timedelta(hours=2))),
        ("resources", "cpu=1,memory=2Gi", Resources(cpu=1, memory="2Gi")),
        ("resources", "cpu=500m..2, gpu=T4:1", Resources(cpu=("500m", 2), gpu="T4:1")),
        ("env_vars", 'A=1, B="x, y",C=', {"A": "1", "B": "x, y", "C": ""}),
        ("secrets", "token,db/password=DB_PW", (Secret("token"), Secret("password", "db", as_env_var="DB_PW"))),
        ("cache", "enable", Cache("auto")),
        ("cache", "behavior=auto,ignored_inputs=a b,max_age=60", Cache("auto", ignored_inputs=("a", "b"), max_age=60)),
        ("reusable", "off", "off"),
        ("reusable", "1..4", ReusePolicy((1, 4))),
        ("report", "Yes", True),
        ("queue", "", ""),
    ],
)
def test_what_a_user_writes(name: str, text: str, value: Any) -> None:
    assert parse(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("retries", "three", "retries: 'three'"),
        ("retries", "-1", "retries"),
        ("timeout", "soon", "1h30m"),
        ("resources", "cpus=1", "did you mean 'cpu'"),
        ("resources", "1", "pairs|fields"),
        ("report", "maybe", "true"),
        ("env_vars", 'A="1', "env_vars"),
        ("cache", "atuo", "did you mean 'auto'"),
    ],
)
def test_text_that_is_not_accepted(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(name, text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("links", ()),
        ("resources", Resources(gpu=GPU("T4", 1))),
        ("retries", RetryStrategy(1, Backoff(timedelta(1)))),
        ("pod_template", PodTemplate()),
        ("image", Image.from_debian_base()),
        ("bogus", 1),
    ],
)
def test_what_has_no_text_form(name: str, value: Any) -> None:
    with pytest.raises(TypeError):
        format(name, value)


def test_options_come_from_the_table_and_the_fields_of_resources() -> None:
    flags = [option.flag for option in options(Level.TASK | Level.OVERRIDE)]
    assert [flag for flag in ("--retries", "--max-inline-io-bytes", "--links", "--cpu", "--shm") if flag in flags] == [
        "--retries",
        "--max-inline-io-bytes",
        "--cpu",
        "--shm",
    ]
    assert len(flags) == len(set(flags))
    by_flag = {option.flag: option for option in options(Level.OVERRIDE)}
    assert (by_flag["--report"].is_bool, by_flag["--report"].choices) == (True, ("true", "false"))
    assert "auto" in by_flag["--cache"].choices
    assert "--image" not in by_flag
    assert (by_flag["--memory"].param, by_flag["--memory"].field, by_flag["--memory"].metavar) == (
        "resources",
        "memory",
        "SIZE",
    )


def test_options_are_collected_into_settings() -> None:
    texts = {"--retries": "3", "--cpu": "1", "--memory": "512Mi", "--report": "true"}
    assert collect(texts, Level.TASK | Level.OVERRIDE) == {
        "retries": RetryStrategy(3),
        "resources": Resources(cpu=1, memory="512Mi"),
        "report": True,
    }


def test_a_field_wins_over_the_whole() -> None:
    assert collect({"--resources": "cpu=1,memory=1Gi", "--cpu": "2"}, Level.OVERRIDE) == {
        "resources": Resources(cpu=2, memory="1Gi")
    }


def test_wrong_options_are_named_all_at_once() -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        collect({"--retires": "3", "--timeout": "soon", "--memory": "1GB"}, Level.OVERRIDE)
    message = str(caught.value)
    assert [words for words in ("'--retries'", "1h30m", "'1Gi'") if words not in message] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ("retries=3", {"retries": RetryStrategy(3)}),
        ("retries=3, memory=2Gi", {"retries": RetryStrategy(3), "resources": Resources(memory="2Gi")}),
        (
            "resources=cpu=1,memory=2Gi retries = 2",
            {"resources": Resources(cpu=1, memory="2Gi"), "retries": RetryStrategy(2)},
        ),
        ("retries=3, resources=memory=2Gi", {"retries": RetryStrategy(3), "resources": Resources(memory="2Gi")}),
        ("short_name='a b', cache=auto", {"short_name": "a b", "cache": Cache("auto")}),
        ("env_vars=A=1,B=2, retries=1", {"env_vars": {"A": "1", "B": "2"}, "retries": RetryStrategy(1)}),
    ],
)
def test_one_line_overrides_several_parameters(line: str, expected: dict[str, Any]) -> None:
    assert expected == overrides(line)


@pytest.mark.parametrize(
    ("line", "message"),
    [("retires=3", "did you mean '--retries'"), ("hello", "write them so"), ("retries", "write them so")],
)
def test_a_line_that_overrides_nothing_says_how_it_is_written(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overrides(line)
