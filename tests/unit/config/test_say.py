from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter import (
    GPU,
    TPU,
    Backoff,
    Cache,
    Cron,
    FixedRate,
    Image,
    PodTemplate,
    Resources,
    RetryStrategy,
    ReusePolicy,
    Secret,
    Timeout,
    Trigger,
    TriggerTime,
)
from flyte_jupyter.config.credential import is_credential, masked, masked_spec
from flyte_jupyter.config.say import described, plainly, said, span
from flyte_jupyter.config.spec import PARAMS


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Resources(cpu=1, memory="512Mi"), "cpu 1 core; memory 512 MiB"),
        (Resources(cpu=("500m", 2)), "cpu 0.5 cores, at most 2 cores"),
        (Resources(memory=("1.5Gi", "2G")), "memory 1.5 GiB, at most 2 GB"),
        (Resources(gpu=GPU("A100", 2, "1g.5gb"), shm="auto"), "gpu 2 × A100, part 1g.5gb; shm auto"),
        (Resources(gpu="T4:1", disk=str(2**30)), "gpu T4:1; disk 1 GiB"),
        (Resources(gpu=TPU("V5E", "2x2")), "gpu 1 × V5E, topology 2x2"),
        (Resources(), "–"),
        (Cache("auto"), "auto"),
        (Cache("auto", ignored_inputs=("a", "b"), serialize=True), "auto; serialize yes; ignored_inputs a, b"),
        (Cache("auto", max_age=90061), "auto; max_age 1 d 1 h 1 min 1 s"),
        (Secret("api-key", "db"), "db/api-key as DB_API_KEY"),
        (Secret("cert", mount=Path("/etc/flyte/secrets")), "cert as a file"),
        (RetryStrategy(3, Backoff(timedelta(milliseconds=500))), "3; backoff 500 ms"),
        (Backoff(timedelta(seconds=1), 2, timedelta(minutes=5)), "1 s; factor 2; cap 5 min"),
        (Timeout(60, deadline=timedelta(hours=1.5)), "max_runtime 1 min; deadline 1 h 30 min"),
        (ReusePolicy((1, 4), 60), "replicas 1 to 4; idle_ttl 1 min"),
        (ReusePolicy((3, 3)), "replicas 3"),
        (Cron("0 6 * * *", "Europe/Berlin"), "every day at 06:00 (Europe/Berlin)"),
        (FixedRate(90), "every 90 minutes"),
        (Trigger("t", Cron("0 * * * *")), "t; automation every hour"),
        (Trigger("t", FixedRate(1), inputs={"a": TriggerTime}), "t; automation every minute; inputs a=TriggerTime"),
        (PodTemplate({"containers": [{"name": "primary"}, {"name": "proxy"}]}), "containers primary, proxy"),
        (Image.from_base("python:3.12"), "python:3.12"),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert words == described(value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("retries", RetryStrategy(3), "3"),
        ("max_inline_io_bytes", 10 * 1024 * 1024, "10 MiB"),
        ("max_inline_io_bytes", 1_000_000, "1 MB"),
        ("max_inline_io_bytes", 1001, "1001 bytes"),
        ("interruptible", True, "yes"),
        ("queue", None, "–"),
        ("env_vars", {}, "–"),
        ("env_vars", {"A": "1", "MY_TOKEN": "hush"}, "A=1, MY_TOKEN=…"),
        ("secrets", (Secret("a"), Secret("b")), "a as A, b as B"),
        ("include", ("a.py", "b.csv"), "a.py, b.csv"),
        ("image", "auto", "auto"),
    ],
)
def test_parameters_in_words(name: str, value: Any, words: str) -> None:
    assert words == said(PARAMS[name], value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.25, "250 ms"), (1.5, "1.5 s"), (90, "1 min 30 s"), (3600, "1 h"), (timedelta(2, 300), "2 d 5 min")],
)
def test_durations_in_words(seconds: float | timedelta, words: str) -> None:
    assert words == span(seconds)


def test_what_no_field_describes() -> None:
    moment = datetime(2024, 5, 1, 6, 30, tzinfo=timezone.utc)
    assert ["3.12", "a/b", "x, y", "no", "2024-05-01 06:30:00+00:00"] == [
        plainly(value) for value in ((3, 12), Path("a/b"), ("x", "y"), False, moment)
    ]


# --- credentials


@pytest.mark.parametrize(
    ("name", "text", "is_hidden"),
    [
        ("API_KEY", "abc", True),
        ("github_token", "abc", True),
        ("DB_PASSWORD", "abc", True),
        ("PASSPHRASE", "abc", True),
        ("DATABASE", "postgres://user:pw@host/db", True),
        ("DATABASE", "postgres://host/db", False),
        ("LOG_LEVEL", "debug", False),
        ("API_KEY", "", False),
    ],
)
def test_what_looks_like_a_credential(name: str, text: str, is_hidden: bool) -> None:
    assert is_hidden == is_credential(name, text)


HUSH = "hush-hush"
SPEC = {
    "containers": [{"name": "primary", "env": [{"name": "A_TOKEN", "value": HUSH}, {"name": "MODE", "value": "fast"}]}],
    "volumes": [{"secret": {"secretName": "certificates"}}],
}


@pytest.mark.parametrize(
    "value",
    [
        {"A_TOKEN": HUSH, "deeper": [{"B_KEY": HUSH}]},
        Trigger("t", env_vars={"A_TOKEN": HUSH}, inputs={"password": HUSH}),
        Image.from_debian_base().with_env_vars({"A_TOKEN": HUSH, "MODE": "fast"}),
        PodTemplate(SPEC, labels={"auth": HUSH}),
        [PodTemplate(SPEC)],
    ],
)
def test_credentials_are_hidden_wherever_they_are(value: Any) -> None:
    before = repr(value)
    assert HUSH not in repr(masked(value))
    assert HUSH in before == repr(value)


def test_names_of_secrets_stay_in_a_pod_specification() -> None:
    shown = masked_spec(SPEC)
    assert [{"name": "A_TOKEN", "value": "…"}, {"name": "MODE", "value": "fast"}] == shown["containers"][0]["env"]
    assert SPEC["volumes"] == shown["volumes"]


def test_what_has_nothing_to_hide_stays_the_same_object() -> None:
    value = Resources(cpu=1)
    assert value is masked(value)
