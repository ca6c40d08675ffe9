"""The settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_jupyter.config.queues import QueueSettings, parse_settings
from flyte_jupyter.errors import ConfigError, ConfigValueError

FILE = Path("/home/me/settings.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", QueueSettings()),
        ("[queues]\nconcurrency = 4\n", QueueSettings({}, 4)),
        ("[queues.gpu]\nconcurrency = 1\n", QueueSettings({"gpu": 1})),
        ("[queues]\ngpu.concurrency = 1\nnight = {concurrency = 3}\n", QueueSettings({"gpu": 1, "night": 3})),
        ("[queues.'with.dots']\nconcurrency = 1\n", QueueSettings({"with.dots": 1})),
        ("[queues.gpu]\n", QueueSettings()),
        ("[queues.concurrency]\nconcurrency = 2\n", QueueSettings({"concurrency": 2})),
    ],
)
def test_what_it_may_say(text: str, expected: QueueSettings) -> None:
    assert expected == parse_settings(text, FILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[queues.gpu]\n\nconcurrency = 0\n", ["line 3: queues.gpu.concurrency: 0 is not accepted", "1 or more"]),
        ("[queues]\ngpu = {concurrency = 'x'}\n", ["line 2: queues.gpu.concurrency: 'x' is not", "a whole number"]),
        ("[queues]\nconcurrency = true\n", ["line 2: queues.concurrency: True is not accepted"]),
        ("# mine\n[queue.gpu]\nconcurrency = 1\n", ["line 2: queue", "allowed: queues", "did you mean 'queues'?"]),
        ("[queues.gpu]\nconcurency = 1\n", ["line 2: queues.gpu.concurency", "did you mean 'concurrency'?"]),
        ("[queues]\ngpu = 1\n", ["line 2: queues.gpu: 1 is not accepted", "[queues.gpu], with concurrency = ..."]),
        ("[queues]\nconcurency = 1\n", ["line 2: queues.concurency: 1 is not", "did you mean 'concurrency'?"]),
        ("queues = 1\n", ["line 1: queues: 1 is not accepted", "a section: [queues]"]),
        ("[queues\n", ["is not accepted", "valid TOML", "line 1"]),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(text: str, expected: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, FILE)
    said = str(caught.value)
    assert str(FILE) in said
    assert [] == [part for part in expected if part not in said], said


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigValueError, match="2 problems"):
        parse_settings("[queues.a]\nconcurrency = 0\n[queues.b]\nconcurrency = -1\n", FILE)
