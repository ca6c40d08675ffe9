"""Runs that do not start, and runs whose cluster cannot be reached for a while: what a user sees."""

from __future__ import annotations

import html
import time
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.engine.run import Run
from flyte_jupyter.notebook.cards import card as cards
from tests.conftest import eventually, forget_session
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.gate import gate
from tests.kubernetes.test_reasons import with_quota

pytestmark = pytest.mark.usefixtures("remote")
env = flyte.TaskEnvironment(name="waiting", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def add(x: int) -> int:
    return x + 1


@env.task
def slowly(n: int) -> int:
    for number in range(n):
        print("step", number)
        time.sleep(0.1)
    return n


def card(run: Run) -> str:
    return html.unescape(cards.html(run.view(), now=time.time()))


def test_what_no_node_has_fails_at_once_and_the_card_offers_what_there_is(cluster: Cluster) -> None:
    run = flyte.run(add.override(resources=flyte.Resources(cpu=1000, memory="200Mi")), 1)
    with pytest.raises(flyte.errors.RuntimeUserError, match="no node of the cluster has 1000 cores") as caught:
        run.result()
    assert "Unschedulable" == caught.value.code
    assert "override={'resources': flyte.Resources(cpu=" in card(run)
    eventually(lambda: [] == cluster.api.list("jobs").items)


def test_a_gpu_of_a_model_that_no_node_is_labelled_with_says_which_labels_it_wants() -> None:
    run = flyte.run(add.override(resources=flyte.Resources(gpu="T4:1")), 1)
    eventually(lambda: "it asks for nodes with one of nvidia.com/gpu.product=Tesla-T4, " in card(run))
    assert "where nodes have others: [kubernetes.node_selectors] in the settings" in card(run)
    run.cancel()


def test_an_image_that_cannot_be_pulled_is_named_on_the_card_while_it_is_tried(cluster: Cluster) -> None:
    forget_session()
    flyte.init(mode="remote", namespace=cluster.namespace, image="127.0.0.1:9/not-there:1")
    run = flyte.run(add, 1)
    eventually(lambda: "cannot be pulled" in card(run))
    assert "connection refused" in card(run)
    run.cancel()
    eventually(lambda: [] == cluster.api.list("jobs").items)


def test_a_quota_that_others_use_is_on_the_card_until_they_end(cluster: Cluster) -> None:
    with_quota(cluster, requests_cpu="150m")
    first = flyte.run(slowly, 1000)
    eventually(lambda: first.phase.value == "running")
    second = flyte.run(add, 1)
    eventually(lambda: "waits for others to end: of the quota small 100m of 150m requests.cpu are used" in card(second))
    for run in (first, second):
        run.cancel()


def test_a_run_goes_on_while_its_cluster_is_not_reached(
    cluster: Cluster, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        forget_session()
        flyte.init(mode="remote", namespace=cluster.namespace, image=image)
        run = flyte.run(slowly, 50)
        eventually(lambda: "step 3" in list(run.get_logs()))
        way.drop()
        eventually(lambda: "step 20" in list(run.get_logs()))
        way.refuse()
        eventually(lambda: cluster.api.list("jobs").items[0]["status"].get("succeeded"))
        assert not run.done()
        eventually(lambda: "nothing is heard of it for now: The cluster " in card(run))
        way.open()
        assert 50 == run.result()
        assert [f"step {number}" for number in range(50)] == list(run.get_logs())
        forget_session()
