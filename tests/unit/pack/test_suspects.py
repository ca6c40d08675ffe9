"""What looks like a credential is refused with its name, and ordinary code is not."""

from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.errors import CaptureError
from flyte_jupyter.pack import suspects
from flyte_jupyter.pack.call import seal_code
from flyte_jupyter.pack.suspects import kind, without_known

env = TaskEnvironment(name="suspects")
RANDOM = "a1b2c3d4" + "e5f6a7b8c9d0"
SHAPES = [
    ("sk-" + "proj-Abc123Def456Ghi789Jkl", "an API key"),
    ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "an API key"),
    ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "an API key"),
    ("ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8", "a GitHub token"),
    ("github_pat_" + "A1b2C3d4E5f6G7h8I9j0K1" * 3, "a GitHub token"),
    ("glpat-" + "A1b2C3d4E5f6G7h8I9j0", "a GitLab token"),
    ("hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH", "a Hugging Face token"),
    ("xoxb-" + "123456789012-abcdefghijkl", "a Slack token"),
    ("npm_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8", "a token of npm"),
    ("pypi-AgE" + "IcHlwaS5vcmcCJDU" * 4, "a token of PyPI"),
    ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "a signed token"),
    ("-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqh\n" * 4, "a private key"),
]


@pytest.fixture(autouse=True)
def _nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "allowed", set())


@pytest.mark.parametrize(("text", "what"), SHAPES)
def test_tokens_are_known_by_their_shape_whatever_they_are_called(text: str, what: str) -> None:
    assert what == kind("x", text) == kind("x", f"Bearer {text}\n")
    source = f"x = [{text}]\ny = 1\n"
    assert text not in without_known(source)
    assert source.splitlines()[-1:] == without_known(source).splitlines()[-1:]
    assert source.count("\n") == without_known(source).count("\n")


@pytest.mark.parametrize("name", ["API_KEY", "openai_api_key", "AWS_SECRET_ACCESS_KEY", "token", "client_secret"])
def test_names_count_together_with_values_that_look_random(name: str) -> None:
    assert "a credential" == kind(name, RANDOM)
    assert kind(f"{name}_path", RANDOM) is None
    assert "a password" == kind("db_password", "hunter22")


@pytest.mark.parametrize(
    "text",
    ["https://ann:" + RANDOM + "@example.org/", "wJalrXUtnFEMI/K7MDENG/" + RANDOM, "/" + RANDOM],
)
def test_a_place_may_have_a_credential_in_it(text: str) -> None:
    assert "a credential" == kind("token", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PAD_TOKEN", "<pad>"),
        ("EOS_TOKEN", "<|end_of_text_0001|>"),
        ("mask_token", "[MASK]"),
        ("token", "the-first-token-of-a-sentence"),
        ("primary_key", "customer_id_2024_01_01"),
        ("SECRET_KEY", "name-of-my-secret"),
        ("password", "Password:"),
        ("PASSWORD", "password"),
        ("access_key", "aaaaaaaaaaaaaaaaaaaa11"),
        ("secret", "V1SecretProjection"),
        ("x", "task-0123456789-abcdef-0123456789"),
        ("x", "mask-learn-12345678901234567890"),
        ("url", "https://example.org/a1b2c3d4e5f6a7b8c9d0"),
        ("digest", RANDOM * 3),
        ("token", "/home/ann/long/way/to/2024/run-17/token.txt"),
        ("API_KEY", "~/keys/2024/api_key_11"),
        ("secret_key", "conf/prod-2024-01/key_17.pem"),
        ("access_token", "https://auth.example.org/oauth2/v2/2024/token"),
        ("password", "/run/secrets/db1/password"),
        ("x", "Use the header -----BEGIN CERTIFICATE-----"),
        ("x", "-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_ordinary_texts_are_left_alone(name: str, text: str) -> None:
    assert kind(name, text) is None
    assert text == without_known(text)


# --- what a task captures

API_KEY = RANDOM
CONFIG = {"url": "https://example.org", "password": "hunter" + "22"}
UNUSED_TOKEN = RANDOM


def helper() -> str:
    return API_KEY


class Settings:
    API_KEY = "a column"


@env.task
def by_helper() -> str:
    return helper()


@env.task
def by_dict() -> str:
    return CONFIG["url"]


@env.task
def by_default(*, token: str = RANDOM) -> str:
    return token


@env.task
def by_attribute_of_that_name() -> str:
    return Settings.API_KEY


def by_closure() -> Any:
    client_secret = RANDOM

    @env.task
    def closed() -> str:
        return client_secret

    return closed


@env.task
def by_variable() -> str:
    def login() -> str:
        api_token = "a1b2c3d4e5f6a7b8c9d0"
        return "" + api_token

    return login()


def by_literal() -> Any:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(f"def f() -> str:\n    return {SHAPES[0][0]!r}", scope)
    return env.task(scope["f"])


@pytest.mark.parametrize(
    ("task", "path", "name"),
    [
        (by_helper, "suspects.by_helper → helper() → global 'API_KEY': looks like a credential", "API_KEY"),
        (by_dict, "suspects.by_dict → global 'CONFIG' → 'password': looks like a password", "password"),
        (by_default, "suspects.by_default → default of 'token': looks like a credential", "token"),
        (by_closure(), "suspects.closed → closure 'client_secret': looks like a credential", "client_secret"),
        (by_variable, "suspects.by_variable → variable 'api_token': looks like a credential", "api_token"),
        (by_literal(), "suspects.f → a text in its code: looks like an API key", "f_token"),
    ],
)
def test_what_travels_with_a_task_is_refused_with_its_path(task: Any, path: str, name: str) -> None:
    with pytest.raises(CaptureError) as caught:
        seal_code(b"k" * 32, task)
    text = str(caught.value)
    assert text.startswith(path)
    assert f"If it is none: flyte.secrets.allow({name!r})" in text
    assert not any(value in text for value in (RANDOM, "hunter", SHAPES[0][0]))
    suspects.allowed.add(name)
    seal_code(b"k" * 32, task)


@env.task
def reads_files() -> list[str]:
    revision = "a1b2c3d4e5f6a7b8c9d0"
    return ["s3://bucket/2024/01/data.parquet", "/data/2024/run-17/file.csv", "experiment-12-run-7-final", revision]


def test_ordinary_texts_in_code_travel() -> None:
    seal_code(b"k" * 32, reads_files)


def test_what_does_not_travel_is_no_matter() -> None:
    seal_code(b"k" * 32, by_attribute_of_that_name)


def test_tokens_in_the_text_of_a_cell_do_not_travel_with_its_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    import linecache

    token = SHAPES[3][0]
    text = f"TOKEN = {token!r}\ndef f() -> int:\n    return 1\n"
    monkeypatch.setitem(linecache.cache, "cell-7", (len(text), None, text.splitlines(keepends=True), "cell-7"))
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "cell-7", "exec"), scope)
    sealed = b"".join(seal_code(b"k" * 32, env.task(scope["f"])).payload)
    assert b"return 1" in sealed
    assert token.encode() not in sealed
