"""How value types say no: all at once, with the nearest name, and at the line that is not ours."""

from __future__ import annotations

import inspect
import pickle
import re
import warnings
from typing import Any

import pytest

from flyte_jupyter.config.values.cache import Cache
from flyte_jupyter.config.values.device import GPU, Device
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.config.values.resources import Resources
from flyte_jupyter.config.values.retry import Backoff, RetryStrategy
from flyte_jupyter.config.values.reuse import ReusePolicy
from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.config.values.timeout import Timeout
from flyte_jupyter.config.values.trigger import Cron, Trigger
from flyte_jupyter.environment import TaskEnvironment
from flyte_jupyter.errors import ConfigError


def work(x: int) -> int:
    return x


def several(*args: int) -> int:
    return len(args)


TASK = TaskEnvironment("refusing").task(work)


@pytest.mark.parametrize(
    ("make", "each"),
    [
        (
            lambda: Resources(cpu=-1, memory="512m", gpu="T5:1", disk=3, shm="1"),  # type: ignore[arg-type]
            ["Resources.cpu: -1", "Resources.memory: '512m'", "Resources.gpu: 'T5:1'", "Resources.disk: 3"],
        ),
        (lambda: GPU("T5", 0, "x"), ["GPU.device: 'T5'", "GPU.quantity: 0"]),
        (lambda: Device(0, "QPU", 3), ["Device.quantity", "Device.device_class", "Device.device"]),  # type: ignore[arg-type]
        (
            lambda: Cache("never", 3, ignored_inputs=3, policies=4, max_age=-1),  # type: ignore[arg-type]
            ["cache: Invalid", "Cache.version_override", "Cache.ignored_inputs", "Cache.policies", "Cache.max_age"],
        ),
        (lambda: Secret(3, 4, "/tmp"), ["Secret.key", "Secret.group", "Secret.mount"]),  # type: ignore[arg-type]
        (lambda: Secret.of(["a.b", 3]), ["Secret.as_env_var", "secrets: 3"]),
        (lambda: Backoff(3, 0), ["Backoff.base", "Backoff.factor"]),  # type: ignore[arg-type]
        (lambda: Timeout(-1, "x", -2), ["Timeout.max_runtime", "Timeout.max_queued_time", "Timeout.deadline"]),  # type: ignore[arg-type]
        (lambda: RetryStrategy(-1, 3), ["retries must be", "RetryStrategy.backoff"]),  # type: ignore[arg-type]
        (
            lambda: ReusePolicy(-1, 1, 0, 1, "x"),  # type: ignore[arg-type]
            [f"ReusePolicy.{name}" for name in ("replicas", "idle_ttl", "concurrency", "scaledown_ttl", "scope")],
        ),
        (
            lambda: Trigger("t", "x", 3, env_vars={"1": 2, "A": 3}, labels={"a": 4}),  # type: ignore[arg-type, dict-item]
            [
                "Trigger 't': automation",
                "Trigger 't': description",
                "Trigger 't': env_vars: '1'",
                "Trigger 't': env_vars['1']: 2",
                "Trigger 't': env_vars['A']: 3",
                "Trigger 't': labels['a']: 4",
            ],
        ),
        (lambda: Cron("60 * * * x", "Nowhere"), ["Cron.expression", "Cron.expression", "Cron.timezone"]),
        (lambda: Trigger.of([3, Trigger("a"), Trigger("a")]), ["triggers: 3", "triggers: 'a'"]),
        (
            lambda: PodTemplate(3, "", {"a": 1}),
            ["pod_spec", "PodTemplate.primary_container_name", "PodTemplate.labels"],
        ),  # type: ignore[dict-item]
        (
            lambda: TaskEnvironment("a", env_vars={"1": "x", "A": 1}, interruptible="no"),  # type: ignore[dict-item, arg-type]
            ["env_vars: '1'", "env_vars['A']: 1", "interruptible: 'no'"],
        ),
        (
            lambda: TASK.override(timeout=-1, cache=Cache("auto", ignored_inputs="y"), retrys=1),  # type: ignore[call-arg]
            ["timeout: -1", "retrys: not a", "cache: ignored_inputs: 'y'"],
        ),
        (
            lambda: TaskEnvironment("a", cache=Cache("auto", ignored_inputs="y"), plugin_config=object()).task(several),
            ["cache: ignored_inputs: 'y'", "plugin_config: No task plugin", "several: *args"],
        ),
        (lambda: Resources(cpu=-1, memroy="x", dsik="y"), ["memroy: not a", "dsik: not a", "Resources.cpu"]),  # type: ignore[call-arg]
    ],
)
def test_all_that_is_wrong_with_a_value_is_in_one_error(make: Any, each: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert len(each) == len(caught.value.each)
    assert [True] * len(each) == [text.startswith(start) for text, start in zip(caught.value.each, each, strict=True)]
    assert str(caught.value) == "\n".join([f"{len(each)} problems", *caught.value.each])


@pytest.mark.parametrize("kind", [TypeError, ValueError])
def test_an_error_for_types_and_values_is_caught_as_either_of_them(kind: type[Exception]) -> None:
    with pytest.raises(kind, match="3 problems"):
        TaskEnvironment("a", env_vars={"1": "x", "A": 1}, interruptible="no")  # type: ignore[dict-item, arg-type]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Resources(memroy="1Gi"), "did you mean 'memory'?"),  # type: ignore[call-arg]
        (lambda: RetryStrategy(cuont=3), "did you mean 'count'?"),  # type: ignore[call-arg]
        (lambda: Trigger.daily(automation=None), "for another: Trigger(name, automation)"),
        (lambda: Trigger.daily(env_var={}), "did you mean 'env_vars'?"),
        (lambda: Timeout(xyz=3), "parameters here: max_runtime, max_queued_time, deadline"),  # type: ignore[call-arg]
    ],
)
def test_a_name_that_is_none_of_a_value_comes_with_the_nearest(make: Any, words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        make()


def test_signatures_are_those_of_the_fields() -> None:
    assert str(inspect.signature(RetryStrategy)) == "(count: 'int', backoff: 'Backoff | None' = None) -> None"


def test_one_process_that_may_wait_for_itself_warns() -> None:
    with pytest.warns(UserWarning, match="replicas=2") as caught:
        policy = ReusePolicy((0, 1))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (pickle.loads(pickle.dumps(policy)), ReusePolicy(1, concurrency=2).max_replicas) == (policy, 1)
