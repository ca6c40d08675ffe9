from __future__ import annotations

from typing import Any

import pytest

from flyte_jupyter.runners.kubernetes.features import Features, read


def served(*groups: tuple[str, str]) -> dict[str, Any]:
    """As a cluster answers at /apis."""
    return {"groups": [{"name": name, "preferredVersion": {"version": version}} for name, version in groups]}


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({"major": "1", "minor": "20"}, (1, 20)),
        ({"major": "1", "minor": "29+"}, (1, 29)),
        ({"major": "1", "minor": "31-eks-1"}, (1, 31)),
        ({"gitVersion": "v1.30.2"}, (0, 0)),
    ],
)
def test_versions_are_read_as_providers_write_them(said: dict[str, str], version: tuple[int, int]) -> None:
    assert version == read(said, served()).version


def test_an_old_server_gets_none_of_the_newer_fields() -> None:
    old = Features((1, 20))
    newer = (old.suspend, old.strict_fields, old.pod_failure_policy, old.pod_replacement_policy, old.sidecars)
    assert "batch/v1beta1/cronjobs" == old.cron_jobs
    assert not any(newer)


def test_a_new_server_gets_all() -> None:
    new = Features((1, 35))
    newer = (new.suspend, new.strict_fields, new.pod_failure_policy, new.pod_replacement_policy, new.sidecars)
    assert "batch/v1/cronjobs" == new.cron_jobs
    assert all(newer)


def test_kueue_is_known_by_what_is_served() -> None:
    said = {"major": "1", "minor": "33"}
    assert "v1beta1" == read(said, served(("apps", "v1"), ("kueue.x-k8s.io", "v1beta1"))).kueue
    assert "" == read(said, served(("apps", "v1"))).kueue
