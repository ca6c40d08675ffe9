"""What the settings file, and `flyte.init`, say of clusters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flyte_jupyter.config.cluster import Cluster, RemoteSettings, cluster_of, parse_clusters, with_folder
from flyte_jupyter.config.queues import QueueSettings, parse_settings
from flyte_jupyter.errors import ConfigError

FILE = Path("/etc/settings.toml")
TEXT = """
[run]
mode = "remote"

[kubernetes]
context = "team"
store = "s3://bucket/folder"
pull_secrets = ["registry"]
ttl = 0
run_as_root = true
interruptible = { tolerations = [{ key = "spot" }] }

[queues]
concurrency = 4

[queues.gpu]
context = "gpu-cluster"
local_queue = "a100"
concurrency = 2

[queues.slow]
concurrency = 1
"""


def test_what_a_file_says() -> None:
    found = parse_clusters(TEXT, FILE)
    team = Cluster(
        context="team",
        store="s3://bucket/folder",
        pull_secrets=("registry",),
        ttl=0,
        run_as_root=True,
        interruptible={"tolerations": [{"key": "spot"}]},
    )
    assert ("remote", team, ["gpu"]) == (found.mode, found.cluster, list(found.queues))
    gpu = found.queues["gpu"]
    assert ("gpu-cluster", "a100", "s3://bucket/folder") == (gpu.context, gpu.queue, gpu.store)
    assert QueueSettings({"gpu": 2, "slow": 1}, 4) == parse_settings(TEXT, FILE)


def test_a_file_that_says_nothing() -> None:
    assert RemoteSettings("local", Cluster(), {}) == parse_clusters("[queues.a]\nconcurrency = 1\n", FILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[kubernetes]\ncontxt = 'a'", "line 2: kubernetes.contxt: 'contxt' is not accepted"),
        ("[kubernetes]\ncontxt = 'a'", "did you mean 'context'?"),
        ("[kubernetes]\nstore = 'bucket'", '"s3://bucket/folder"'),
        ("[kubernetes]\nttl = -1", "seconds, 0 or more"),
        ("[kubernetes]\nrun_as_root = 1", "true or false"),
        ("[kubernetes]\nrun_as_user = -1", "the number of a user, 0 for root"),
        ("[kubernetes]\nstore_claim = 'shared'", '"shared:/mnt/shared"'),
        ("[kubernetes]\npull_secrets = 'a'", 'a list such as ["name"]'),
        ("[kubernetes]\ninterruptible = 'spot'", "a section"),
        ("[kubernetes]\ncontext = ''", "a str that is not empty"),
        ("[kubernetes]\nbuilt = {}", "is not accepted"),
        ("[run]\nmode = 'remot'", "did you mean 'remote'?"),
        ("[queues.a]\nnamespace = 1", "line 2: queues.a.namespace"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_clusters(text, FILE)
    assert expected in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="2 problems"):
        parse_clusters("[run]\nmode = 'x'\n[kubernetes]\nttl = 'long'\n", FILE)


def test_settings_of_a_program_win() -> None:
    base = Cluster(context="team", namespace="a")
    assert Cluster(context="team", namespace="b") == cluster_of({"namespace": "b", "store": None}, base, "init")
    with pytest.raises(ConfigError, match=r"init\(ttl=\)"):
        cluster_of({"ttl": "long"}, base, "init")
    with pytest.raises(ConfigError, match="did you mean 'namespace'"):
        cluster_of({"namspace": "b"}, base, "init")


def test_pods_with_a_folder_run_as_you() -> None:
    folder = Cluster(store="file:///mnt/shared/flyte", store_claim="shared:/mnt/shared")
    assert replace(folder, run_as_user=1234) == with_folder(folder, 1234)
    for said in (replace(folder, run_as_user=7), replace(folder, run_as_root=True), Cluster(store="s3://bucket")):
        assert said == with_folder(said, 0)
    with pytest.raises(ConfigError, match="run_as_user=0 lets them run as root"):
        with_folder(folder, 0)


@pytest.mark.parametrize("store", ["cluster", "s3://mnt/shared", "file:///mnt/sharedx"])
def test_a_claim_is_for_a_folder_on_it(store: str) -> None:
    with pytest.raises(ConfigError, match=r"such as 'file:///mnt/shared/flyte'"):
        with_folder(Cluster(store=store, store_claim="shared:/mnt/shared"), 1)


def test_a_cluster_is_json_and_back() -> None:
    for cluster in (Cluster(), *parse_clusters(TEXT, FILE).queues.values()):
        assert cluster == Cluster.from_json(json.loads(json.dumps(cluster.to_json())))
    assert {} == Cluster().to_json()
