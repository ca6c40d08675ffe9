"""What travels to pods of a real cluster, and back, without a bucket: as much as is said."""

from __future__ import annotations

import random

import pytest

import flyte_jupyter as flyte
from tests.kubernetes.conftest import Cluster

pytestmark = pytest.mark.usefixtures("remote")

env = flyte.TaskEnvironment(name="limits", resources=flyte.Resources(cpu="100m", memory="400Mi"))


def noise(size: int) -> bytes:
    """Bytes that nothing makes smaller, the same each time."""
    return random.Random(0).randbytes(size)


@env.task
def give(size: int, _given: bytes = b"") -> bytes:
    return random.Random(0).randbytes(size)


def test_nearly_as_much_as_may_goes_there_and_comes_back() -> None:
    assert noise(4_100_000) == flyte.run(give, 4_100_000, noise(880_000)).result()


def test_more_is_refused_before_anything_is_asked_for(cluster: Cluster) -> None:
    with pytest.raises(flyte.errors.ConfigError, match="at most 900 KiB travel to a pod"):
        flyte.run(give, 1, noise(950_000))
    ours = {"app.kubernetes.io/managed-by": "flyte-jupyter"}
    found = [each["metadata"]["name"] for kind in ("jobs", "pods") for each in cluster.api.list(kind).items]
    found += [
        each["metadata"]["name"]
        for each in cluster.api.list("secrets").items
        if ours.items() <= (each["metadata"].get("labels") or {}).items() and each["metadata"]["name"].endswith("-call")
    ]
    assert [] == found


def test_a_value_that_does_not_come_back_is_an_error_with_the_ways_out() -> None:
    with pytest.raises(flyte.errors.InlineIOMaxBytesBreached, match="at most 4 MiB come back from a pod"):
        flyte.run(give, 5_000_000).result()
