"""What settings on the line of a magic come to as code."""

from __future__ import annotations

import pytest

import flyte_jupyter
from flyte_jupyter.config import text
from flyte_jupyter.config.codec import codec_of
from flyte_jupyter.config.plain import plain
from flyte_jupyter.config.spec import PARAMS
from flyte_jupyter.notebook.magics.written import code


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("retries", "3", "3"),
        ("timeout", "5m", "300"),
        ("timeout", "max_runtime=1h,max_queued_time=1.5", "fj.Timeout(max_runtime=3600, max_queued_time=1.5)"),
        ("reusable", "replicas=1..2,idle_ttl=5m", "fj.ReusePolicy(replicas=(1, 2), idle_ttl=300)"),
        ("resources", "cpu=500m,gpu=T4:1", 'fj.Resources(cpu="500m", gpu="T4:1")'),
        ("secrets", "token,db/key=KEY", '["token", fj.Secret("key", group="db", as_env_var="KEY")]'),
        ("image", "python:3.12", 'fj.Image.from_base("python:3.12")'),
        ("cache", "auto", '"auto"'),
        ("env_vars", "A=b c", '{"A": "b c"}'),
    ],
)
def test_settings_are_written_as_people_write_them(name: str, given: str, expected: str) -> None:
    assert expected == code(name, text.parse(name, given), "fj")


@pytest.mark.parametrize("name", [name for name, p in PARAMS.items() if codec_of(p) is not None])
def test_the_code_of_every_example_is_the_example(name: str) -> None:
    p = PARAMS[name]
    for example in p.examples:
        again = eval(code(name, example, "fj"), {"fj": flyte_jupyter})
        assert plain(p.accept(example)) == plain(p.accept(again))
