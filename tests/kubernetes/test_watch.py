from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.pods import Synced
from flyte_jupyter.runners.kubernetes import watch as module
from flyte_jupyter.runners.kubernetes.api import Api, Listing
from flyte_jupyter.runners.kubernetes.error import ApiError
from flyte_jupyter.runners.kubernetes.watch import Change, Trouble, Watch

from ..conftest import eventually
from .conftest import Cluster
from .gate import gate

Heard = list[Any]


@pytest.fixture
def listen() -> Iterator[Callable[[Watch], Heard]]:
    """Iterates over watches, each on a thread, and ends them."""
    begun: list[tuple[Watch, threading.Thread]] = []

    def begin(watch: Watch) -> Heard:
        heard: Heard = []
        thread = threading.Thread(target=lambda: heard.extend(_each(watch, heard)))
        thread.start()
        begun.append((watch, thread))
        return heard

    yield begin
    for watch, thread in begun:
        watch.close()
        thread.join(10)
        assert not thread.is_alive()


def _each(watch: Watch, heard: Heard) -> list[Any]:
    for item in watch:
        heard.append(item)
    return []


def job(name: str, **labels: str) -> dict[str, Any]:
    """One whose pod is never started: nothing but the job controller acts on it."""
    container = {"name": "c", "image": "not/there:1", "imagePullPolicy": "Never"}
    pod = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"parallelism": 0, "template": pod}}


def names(heard: Heard, type: str = "ADDED") -> list[str]:
    return [each.object["metadata"]["name"] for each in heard if isinstance(each, Change) and each.type == type]


def is_synced(heard: Heard) -> bool:
    return any(isinstance(each, Synced) for each in heard)


def test_what_is_there_is_told_first_then_what_happens(cluster: Cluster, listen: Callable[[Watch], Heard]) -> None:
    cluster.api.create("jobs", job("before", of="test"))
    heard = listen(Watch(cluster.api, "of=test"))
    eventually(lambda: is_synced(heard))
    assert "before" in names(heard[: [isinstance(each, Synced) for each in heard].index(True)])
    cluster.api.create("jobs", job("after", of="test"))
    cluster.api.create("jobs", job("another", of="others"))
    cluster.api.delete("jobs", "before")
    eventually(lambda: "after" in names(heard) and "before" in names(heard, "DELETED"))
    assert "another" not in names(heard)
    assert not any("managedFields" in each.object["metadata"] for each in heard if isinstance(each, Change))


def test_a_pod_that_cannot_start_is_told_with_its_events(cluster: Cluster, listen: Callable[[Watch], Heard]) -> None:
    heard = listen(Watch(cluster.api, "of=test"))
    stuck = job("stuck", of="test")
    stuck["spec"]["parallelism"] = 1
    stuck["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    cluster.api.create("jobs", stuck)
    eventually(lambda: {"jobs", "pods", "events"} == {each.kind for each in heard if isinstance(each, Change)})
    eventually(lambda: "FailedScheduling" in [each.object.get("reason") for each in heard if isinstance(each, Change)])


def test_what_happens_during_a_break_is_told_after_it(
    cluster: Cluster, tmp_path: Path, listen: Callable[[Watch], Heard]
) -> None:
    cluster.api.create("jobs", job("goes", of="test"))
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        heard = listen(Watch(Api(namespace=cluster.namespace, kubeconfig=kubeconfig), "of=test"))
        eventually(lambda: is_synced(heard))
        way.refuse()
        cluster.api.create("jobs", job("comes", of="test"))
        cluster.api.delete("jobs", "goes")
        eventually(lambda: any(isinstance(each, Trouble) and each.text for each in heard))
        way.open()
        eventually(lambda: "comes" in names(heard) and "goes" in names(heard, "DELETED"))
        assert 1 == names(heard).count("comes")


def test_a_version_that_the_server_has_forgotten_means_to_list_again(
    cluster: Cluster, listen: Callable[[Watch], Heard]
) -> None:
    def is_forgotten() -> bool:
        """True a few minutes after the cluster has begun."""
        said = next(iter(cluster.api.watch("events", "1", seconds=1, silence=5)), b"{}")
        return bool(json.loads(said).get("object", {}).get("code") == 410)

    eventually(is_forgotten, within=400)
    lists: list[str] = []

    class Behind(Api):
        """One whose first lists are of a version that is long forgotten."""

        def list(self, kind: str, **named: Any) -> Listing:
            found = super().list(kind, **named)
            lists.append(kind)
            return found._replace(version="1") if lists.count(kind) == 1 else found

    api = Behind(namespace=cluster.namespace, kubeconfig=cluster.kubeconfig)
    heard = listen(Watch(api, "", kinds=["events"]))
    eventually(lambda: 2 == len(lists))
    stuck = job("stuck")
    stuck["spec"]["parallelism"] = 1
    api.create("jobs", stuck)
    eventually(lambda: "Pod" in [each.object["involvedObject"]["kind"] for each in heard if isinstance(each, Change)])
    assert 2 == len(lists)


def test_a_watch_that_is_kept_back_is_replaced_by_lists(
    cluster: Cluster, tmp_path: Path, listen: Callable[[Watch], Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE", 0.5)
    monkeypatch.setattr(module, "_POLL", 0.2)

    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        streams = Api(namespace=cluster.namespace, kubeconfig=kubeconfig)

        class Buffered(Api):
            """Watches go another way, on which nothing comes back."""

            def watch(self, *args: Any, **named: Any) -> Any:
                found = streams.watch(*args, **named)
                way.hold()
                return found

        way.open()
        watched = Buffered(namespace=cluster.namespace, kubeconfig=cluster.kubeconfig)
        heard = listen(Watch(watched, "of=test", kinds=["jobs"]))
        eventually(lambda: is_synced(heard))
        cluster.api.create("jobs", job("new", of="test"))
        eventually(lambda: ["new"] == names(heard))


def test_two_breaks_are_told_and_so_is_their_end(
    cluster: Cluster, tmp_path: Path, listen: Callable[[Watch], Heard]
) -> None:
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        api = Api(namespace=cluster.namespace, kubeconfig=kubeconfig)
        heard = listen(Watch(api, "of=test", kinds=["jobs"]))
        eventually(lambda: is_synced(heard))
        way.refuse()
        eventually(lambda: any(isinstance(each, Trouble) for each in heard))
        way.open()
        api.create("jobs", job("new", of="test"))
        eventually(lambda: Trouble("jobs", "") in heard)


def test_who_may_not_list_is_told_when_iterating(cluster: Cluster) -> None:
    api = Api(namespace=cluster.namespace, kubeconfig=cluster.kubeconfig)
    with pytest.raises(ApiError, match="could not find the requested resource"):
        list(Watch(api, "of=test", kinds=["jobs", "things"]))


def test_something_of_the_callers_comes_between_the_news(cluster: Cluster, listen: Callable[[Watch], Heard]) -> None:
    watch = Watch(cluster.api, "of=test")
    heard = listen(watch)
    watch.put("mine")
    eventually(lambda: "mine" in heard)
