"""Each value type: what it takes, what it refuses and how it looks."""

from __future__ import annotations

import math
import pickle
from datetime import timedelta
from typing import Any

import pytest

from flyte_jupyter.config.plain import plain
from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.device import AMD_GPU, APPLE_SILICON, GPU, HABANA_GAUDI, TPU, Device, Neuron
from flyte_jupyter.config.values.documentation import Documentation, shorten
from flyte_jupyter.config.values.envvars import env_vars_of
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.config.values.trigger import (
    Cron,
    FixedRate,
    OnArtifact,
    Trigger,
    TriggeredArtifact,
    TriggeredPartition,
    TriggerTime,
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


REFUSED: list[tuple[type[Exception], Any]] = [
    (ValueError, lambda: Resources(cpu=-1)),
    (ValueError, lambda: Resources(cpu=(1, -1))),
    (ValueError, lambda: Resources(cpu=(1, 2, 3))),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(cpu=[1, 2])),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(cpu=(None, 1))),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(cpu="lots")),
    (ValueError, lambda: Resources(cpu=(2, 1))),
    (ValueError, lambda: Resources(cpu=math.nan)),
    (ValueError, lambda: Resources(cpu="1e400")),
    (ValueError, lambda: Resources(cpu="9" * 400 + "m")),
    (ValueError, lambda: Resources(memory="\u0661Gi")),
    (ValueError, lambda: Resources(memory=512)),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(memory="512m")),
    (ValueError, lambda: Resources(memory="2GB")),
    (ValueError, lambda: Resources(memory="auto")),
    (ValueError, lambda: Resources(memory=("2Gi", "1Gi"))),
    (ValueError, lambda: Resources(memory=("2Gi",))),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(disk=("1Gi", "2Gi"))),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(shm="automatic")),
    (ValueError, lambda: Resources(gpu=-1)),
    (ValueError, lambda: Resources(gpu=1.5)),  # type: ignore[arg-type]
    (ValueError, lambda: Resources(gpu="T4")),
    (ValueError, lambda: Resources(gpu="t4:1")),
    (ValueError, lambda: Resources(gpu="T4:9")),
    (TypeError, lambda: Resources.of({"cpu": 1})),
    (ValueError, lambda: Device(0, "GPU")),
    (ValueError, lambda: GPU("A101", 1)),
    (ValueError, lambda: GPU("A100", 0)),
    (ValueError, lambda: GPU("A100", 1, "1g.10gb")),
    (ValueError, lambda: GPU("T4 shared", 1, "1g.5gb")),
    (ValueError, lambda: TPU("V5E", "2x2x1")),
    (ValueError, lambda: Neuron("Trn9")),
    (ValueError, lambda: AMD_GPU("MI1")),
    (ValueError, lambda: HABANA_GAUDI("Gaudi9")),  # type: ignore[arg-type]
    (ValueError, lambda: Cache("always")),  # type: ignore[arg-type]
    (ValueError, lambda: Cache.of("always")),
    (ValueError, lambda: Cache.of(True)),
    (TypeError, lambda: Cache.of(True)),
    (ValueError, lambda: Cache("auto", policies=[])),
    (ValueError, lambda: Cache("auto", max_age=-1)),
    (TypeError, lambda: Cache("auto", max_age=True)),
    (TypeError, lambda: Cache("auto", max_age="1h")),  # type: ignore[arg-type]
    (TypeError, lambda: Cache("auto", ignored_inputs=(1,))),  # type: ignore[arg-type]
    (ValueError, lambda: Secret("")),
    (ValueError, lambda: Secret("a.b")),
    (ValueError, lambda: Secret("1a")),
    (ValueError, lambda: Secret("a", as_env_var="lower")),
    (ValueError, lambda: Secret("a", mount="/tmp")),  # type: ignore[arg-type]
    (ValueError, lambda: Secret("../a", mount="/etc/flyte/secrets")),  # type: ignore[arg-type]
    (ValueError, lambda: Secret("a", "..", mount="/etc/flyte/secrets")),  # type: ignore[arg-type]
    (TypeError, lambda: Secret("a", 1)),  # type: ignore[arg-type]
    (TypeError, lambda: Secret("a", as_env_var=1)),  # type: ignore[arg-type]
    (ValueError, lambda: Secret.of(["a-b", "a_b"])),
    (
        ValueError,
        lambda: Secret.of([Secret("db", mount="/etc/flyte/secrets"), Secret("k", "db", "/etc/flyte/secrets")]),
    ),  # type: ignore[arg-type]
    (TypeError, lambda: Secret.of({"a": 1})),
    (TypeError, lambda: Secret.of([1])),
    (ValueError, lambda: RetryStrategy(-1)),
    (ValueError, lambda: RetryStrategy.of("3")),
    (ValueError, lambda: RetryStrategy.of(1.5)),
    (TypeError, lambda: RetryStrategy(1, 5)),  # type: ignore[arg-type]
    (TypeError, lambda: Backoff(1)),  # type: ignore[arg-type]
    (ValueError, lambda: Backoff(seconds(-1))),
    (ValueError, lambda: Backoff(seconds(1), 2.0)),
    (ValueError, lambda: Backoff(seconds(1), 0.5)),
    (ValueError, lambda: Backoff(seconds(1), math.inf, seconds(5))),
    (ValueError, lambda: Backoff(seconds(1)).compute_delay(-1)),
    (ValueError, lambda: Timeout(max_runtime=-1)),
    (ValueError, lambda: Timeout(deadline="60")),  # type: ignore[arg-type]
    (ValueError, lambda: Timeout.of("60")),
    (ValueError, lambda: Timeout.of(True)),
    (ValueError, lambda: ReusePolicy(replicas=-1)),
    (ValueError, lambda: ReusePolicy(replicas=(2, 1))),
    (ValueError, lambda: ReusePolicy(replicas=[1, 2])),  # type: ignore[arg-type]
    (ValueError, lambda: ReusePolicy(replicas=1.0)),  # type: ignore[arg-type]
    (ValueError, lambda: ReusePolicy(idle_ttl=29)),
    (ValueError, lambda: ReusePolicy(scaledown_ttl=30.5)),  # type: ignore[arg-type]
    (ValueError, lambda: ReusePolicy(concurrency=0)),
    (ValueError, lambda: ReusePolicy(scope="world")),  # type: ignore[arg-type]
    (TypeError, lambda: ReusePolicy.of(3)),
    (TypeError, lambda: PodTemplate.of(3)),
    (ValueError, lambda: PodTemplate.of(PodTemplate({"containers": [{"name": "main"}]}))),
    (ValueError, lambda: PodTemplate.from_spec({"containers": [{"name": "a"}, {"name": "b"}]})),
    (ValueError, lambda: PodTemplate().with_termination_grace_period(-1)),
    (TypeError, lambda: PodTemplate().with_termination_grace_period("5")),  # type: ignore[arg-type]
    (ValueError, lambda: Trigger("")),
    (TypeError, lambda: Trigger("t", "* * * * *")),  # type: ignore[arg-type]
    (ValueError, lambda: Trigger("t", max_action_concurrency=1)),
    (ValueError, lambda: Trigger("t", inputs={"at": TriggerTime})),
    (ValueError, lambda: Trigger("t", Cron("* * * * *"), inputs={"a": TriggeredArtifact})),
    (ValueError, lambda: Trigger("t", OnArtifact("a"), inputs={"a": TriggeredArtifact, "b": TriggeredArtifact})),
    (ValueError, lambda: Trigger("t", inputs={"a": TriggeredPartition("day")})),
    (TypeError, lambda: Trigger("t", env_vars={"A": 1})),  # type: ignore[dict-item]
    (TypeError, lambda: Trigger.of(["daily"])),
    (ValueError, lambda: Trigger.of([Trigger("t"), Trigger("t")])),
    (ValueError, lambda: Cron("* * * *")),
    (ValueError, lambda: Cron("60 * * * *")),
    (ValueError, lambda: Cron("*/0 * * * *")),
    (ValueError, lambda: Cron("* * * * FUN")),
    (ValueError, lambda: Cron("* * 5-3 * *")),
    (ValueError, lambda: Cron("* * * * *", "Europe/Belrin")),
    (ValueError, lambda: FixedRate(0)),
    (ValueError, lambda: FixedRate(True)),
    (TypeError, lambda: OnArtifact("a", day=1)),  # type: ignore[arg-type]
    (TypeError, lambda: Documentation.of(3)),
]


@pytest.mark.parametrize(("error", "make"), REFUSED)
def test_what_is_wrong_is_refused_where_it_is_written(error: type[Exception], make: Any) -> None:
    with pytest.raises(error) as caught:
        make()
    assert len(str(caught.value).splitlines()) in (2, 3)


@pytest.mark.parametrize(
    ("make", "last_line"),
    [
        (lambda: Resources(memory="512m"), "'m' means a small fraction of a byte; did you mean '512Mi'?"),
        (lambda: Resources(memory="2GB"), "did you mean '2Gi'?"),
        (lambda: Resources(memory=512), "did you mean '512Mi'?"),
        (lambda: Resources(gpu="T4"), "the count is missing: 'T4:1'"),
        (lambda: Resources(gpu="a100:1"), "did you mean 'A100:1'?"),
        (lambda: Resources(gpu="v5e:2x2"), "did you mean 'V5E:2x2'?"),
        (lambda: Resources(gpu="A100:9"), "the nearest is 'A100:8'"),
        (lambda: Resources(gpu="Trn1:9"), "the nearest is 'Trn1:8'"),
        (lambda: Resources(gpu=-1), "the nearest is 0"),
        (lambda: Resources(cpu=-1), "the nearest is 0"),
        (lambda: Resources(disk=5), "did you mean '5Gi'?"),
        (lambda: Resources(disk=3 * 1024**3), "did you mean '3Gi'?"),
        (lambda: Resources(memory="1 Gi"), "did you mean '1Gi'?"),
        (lambda: Resources(memory="512 mb"), "did you mean '512Mi'?"),
        (lambda: Resources(gpu="GPU:1"), 'allowed: an int, a Device, or "TYPE:count" such as "T4:1"'),
        (lambda: Resources(gpu="a100"), "did you mean 'A100:1'?"),
        (lambda: GPU("A100", 0), "the nearest is 1"),
        (lambda: ReusePolicy((3, 1)), "try (1, 3)"),
        (lambda: ReusePolicy(-1), "the nearest is 0"),
        (lambda: ReusePolicy(idle_ttl=5), "the nearest is 30"),
        (lambda: ReusePolicy(idle_ttl=seconds(5)), "the nearest is 30"),
        (lambda: ReusePolicy(concurrency=0), "the nearest is 1"),
        (lambda: RetryStrategy.of("3"), "the nearest is 3"),
        (lambda: RetryStrategy(-2), "the nearest is 0"),
        (lambda: Backoff(seconds(1), 0.5), "the nearest is 1"),
        (lambda: Backoff(seconds(-1)), "the nearest is timedelta(0)"),
        (lambda: Timeout(seconds(-5)), "the nearest is 0"),
        (lambda: FixedRate(0), "the nearest is 1"),
        (lambda: Trigger("t", max_action_concurrency=-1), "the nearest is 0"),
        (lambda: PodTemplate.of(PodTemplate({"containers": [{"name": "x"}]})), "write primary_container_name='x'"),
        (lambda: Secret("a", as_env_var="my-key"), "the nearest is 'MY_KEY'"),
        (lambda: Secret("a.b"), "'a.b' cannot be turned into one: give as_env_var='A_B' or mount="),
        (lambda: env_vars_of({"1A B": "x"}), "the nearest is '_1A_B'"),
        (lambda: Cache.of("disabel"), "did you mean 'disable'?"),
        (lambda: Cron("* * * * *", "Europe/Belrin"), "did you mean 'Europe/Berlin'?"),
        (lambda: Timeout.of("60"), "the nearest is 60"),
    ],
)
def test_an_error_ends_with_the_next_step(make: Any, last_line: str) -> None:
    with pytest.raises(ValueError, match="is not accepted") as caught:
        make()
    assert str(caught.value).splitlines()[-1].strip() == last_line


def test_resources_keep_what_was_written_and_know_the_amounts() -> None:
    resources = Resources(cpu=("500m ", 2), memory=("512Mi", " 1Gi"), disk="1G", shm="auto")
    assert (resources.cpu, resources.memory) == (("500m", 2), ("512Mi", "1Gi"))
    assert (resources.cpu_request, resources.cpu_limit) == (0.5, 2.0)
    assert (resources.memory_request, resources.memory_limit) == (512 * 1024**2, 1024**3)
    assert (resources.disk_bytes, resources.shm_bytes, resources.get_shared_memory()) == (10**9, None, "")


def test_a_single_value_is_a_request_without_a_limit() -> None:
    assert (Resources(cpu=1).cpu_request, Resources(cpu=1).cpu_limit) == (1.0, None)
    assert (Resources(memory="1Gi").memory_request, Resources(memory="1Gi").memory_limit) == (1024**3, None)
    assert (Resources().cpu_request, Resources().memory_request) == (None, None)


@pytest.mark.parametrize(
    ("gpu", "device"),
    [
        (None, None),
        (0, None),
        (2, Device(2, "GPU")),
        ("T4:4", Device(4, "GPU", "T4")),
        ("A10G shared:1", Device(1, "GPU", "A10G shared")),
        ("Trn1:16", Device(16, "NEURON", "Trn1")),
        ("MI300X:1", AMD_GPU("MI300X")),
        ("Gaudi1:1", HABANA_GAUDI("Gaudi1")),
        ("AppleSilicon", APPLE_SILICON()),
        (GPU("A100", 1, "1g.5gb"), Device(1, "GPU", "A100", "1g.5gb")),
        (TPU("V5P", "2x2x1"), Device(1, "TPU", "V5P", "2x2x1")),
    ],
)
def test_an_accelerator_is_given_as_a_count_a_word_or_a_device(gpu: Any, device: Device | None) -> None:
    assert Resources(gpu=gpu).get_device() == device


def test_an_old_spelling_of_an_accelerator_warns() -> None:
    with pytest.warns(FutureWarning, match="A100_80G:1"):
        resources = Resources(gpu="A100 80G:1")
    assert (resources.gpu, resources.get_device()) == ("A100_80G:1", Device(1, "GPU", "A100_80G"))
    with pytest.warns(FutureWarning, match="RTX_PRO_6000") as caught:
        assert GPU("RTX PRO 6000", 1).device == "RTX_PRO_6000"
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("word", "behavior"),
    [
        ("auto", "auto"),
        ("Enable", "auto"),
        ("ON", "auto"),
        ("override", "override"),
        ("no", "disable"),
        ("NONE", "disable"),
    ],
)
def test_words_for_the_cache(word: str, behavior: str) -> None:
    assert Cache.of(word).behavior == behavior


def test_a_cache_makes_canonical_what_it_is_given() -> None:
    cache = Cache("enable", ignored_inputs="a", max_age=60)  # type: ignore[arg-type]
    assert (cache.behavior, cache.ignored_inputs, cache.max_age) == ("auto", ("a",), seconds(60))
    assert (cache.is_enabled(), Cache("disable").is_enabled()) == (True, False)


@pytest.mark.parametrize(
    ("secret", "variable"),
    [
        (Secret("api-key"), "API_KEY"),
        (Secret("key", "my-db"), "MY_DB_KEY"),
        (Secret("a.b", as_env_var="A_B"), "A_B"),
        (Secret("a.b", mount="/etc/flyte/secrets"), None),  # type: ignore[arg-type]
    ],
)
def test_the_environment_variable_of_a_secret(secret: Secret, variable: str | None) -> None:
    assert secret.as_env_var == variable


def test_secrets_are_one_or_several() -> None:
    expected = (Secret("a"), Secret("b"))
    assert Secret.of(["a", Secret("b")]) == expected
    assert Secret.of(expected) == expected
    assert (Secret.of("a"), Secret.of([])) == ((Secret("a"),), ())


def test_one_secret_may_be_in_two_places() -> None:
    twice = [Secret("a", as_env_var="X"), Secret("a", as_env_var="Y"), Secret("a", mount="/etc/flyte/secrets")]  # type: ignore[arg-type]
    assert tuple(twice) == Secret.of(twice)
    assert "a" == Secret("a", "", mount="/etc/flyte/secrets").file  # type: ignore[arg-type]
    assert ["db/a", None] == [Secret("a", "db", "/etc/flyte/secrets").file, Secret("a").file]  # type: ignore[arg-type]


def test_backoff_follows_its_formula() -> None:
    backoff = Backoff(seconds(1), 2.0, seconds(5))
    assert [backoff.compute_delay(n) for n in range(4)] == [seconds(1), seconds(2), seconds(4), seconds(5)]
    assert backoff.compute_delay(100_000) == seconds(5)
    assert Backoff(seconds(0), 2.0, seconds(5)).compute_delay(100_000) == seconds(0)


def test_retries_of_a_number() -> None:
    assert (RetryStrategy.of(2), RetryStrategy.of(True), RetryStrategy(2).attempts) == (
        RetryStrategy(2),
        RetryStrategy(1),
        3,
    )


def test_a_timeout_of_a_number_bounds_the_run_time() -> None:
    assert Timeout.of(60) == Timeout(max_runtime=60)
    assert Timeout.of(seconds(60)).max_runtime_seconds == 60.0
    assert Timeout.of(0) == Timeout()
    assert Timeout(deadline=0).deadline_seconds is None
    assert 90.0 == Timeout(max_queued_time=seconds(90)).max_queued_seconds


def test_a_reuse_policy_makes_canonical_what_it_is_given() -> None:
    policy = ReusePolicy(replicas=3, idle_ttl=60)
    assert (policy.replicas, policy.min_replicas, policy.max_replicas) == ((3, 3), 3, 3)
    assert (policy.idle_ttl, policy.get_scaledown_ttl()) == (seconds(60), seconds(30))
    assert ReusePolicy(replicas=(0, 2)).min_replicas == 0


def test_a_pod_template_is_changed_by_copying() -> None:
    spec = {"containers": [{"name": "main"}]}
    template = PodTemplate.from_spec(spec, labels={"a": "b"})
    slower = template.with_termination_grace_period(seconds(90))
    assert template.primary_container_name == "main"
    assert slower.pod_spec == {"containers": [{"name": "main"}], "terminationGracePeriodSeconds": 90}
    assert template.pod_spec == spec == {"containers": [{"name": "main"}]}


@pytest.mark.parametrize(
    ("trigger", "cron"),
    [
        (Trigger.minutely(), "* * * * *"),
        (Trigger.hourly(), "0 * * * *"),
        (Trigger.daily(), "0 0 * * *"),
        (Trigger.weekly(), "0 0 * * 0"),
        (Trigger.monthly(), "0 0 1 * *"),
    ],
)
def test_the_usual_triggers(trigger: Trigger, cron: str) -> None:
    assert trigger.automation == Cron(cron)


def test_a_usual_trigger_hands_over_its_time() -> None:
    trigger = Trigger.daily("day", inputs={"n": 1}, name="each_day")
    assert (trigger.name, trigger.inputs) == ("each_day", {"n": 1, "day": TriggerTime})
    assert pickle.loads(pickle.dumps(TriggerTime)) is TriggerTime


@pytest.mark.parametrize("expression", ["*/15 0-6,22 1 JAN-MAR mon-fri", "0 0 * * 7", "5 4 ? * SUN"])
def test_cron_expressions(expression: str) -> None:
    assert Cron(expression, "Asia/Tokyo").timezone_expression == f"CRON_TZ=Asia/Tokyo {expression}"


def test_an_artifact_and_its_partitions() -> None:
    assert OnArtifact("a", partitions={"x": "1"}, y="2").partitions == {"x": "1", "y": "2"}
    assert OnArtifact("a") == OnArtifact("a", None, None)


def test_a_description_is_cut_at_255() -> None:
    cut = shorten("x" * 300)
    assert (len(cut), cut[-8:], shorten("x" * 255)) == (255, "...(tr.)", "x" * 255)


def test_a_value_as_plain_data() -> None:
    assert plain(RetryStrategy(3, Backoff(seconds(2)))) == {
        "type": "RetryStrategy",
        "count": 3,
        "backoff": {"type": "Backoff", "base": 2.0},
    }
    assert plain(Secret("a")) == {"type": "Secret", "key": "a", "as_env_var": "A"}
    assert plain(Trigger.daily("day"))["inputs"] == {"day": {"type": "TriggerTime"}}
