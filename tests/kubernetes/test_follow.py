from __future__ import annotations

import json
import queue
from pathlib import Path
from typing import Any

import pytest

from flyte_jupyter.host.spoken import Ended, Other
from flyte_jupyter.pods import LogEvent, PodRequest
from flyte_jupyter.runners.kubernetes import follow as module
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.follow import Follower, Heard

from ..conftest import eventually
from .conftest import Cluster
from .gate import gate
from .test_api import token, with_plugin

REQUEST = PodRequest(run="r1", action="a0", task="t", title="t", store="file:///x", python="python3")


def talker(name: str, image: str, code: str) -> dict[str, Any]:
    """A pod that runs Python code, beside which another container says nothing of interest."""
    ours: dict[str, Any] = {"name": "task", "image": image, "command": ["python3", "-uc", code]}
    ours["env"] = [{"name": "FLYTE_JUPYTER_REQUEST", "value": json.dumps(REQUEST.to_json())}]
    beside = {"name": "beside", "image": image, "command": ["python3", "-c", "print('not this')"]}
    containers = [{**each, "imagePullPolicy": "IfNotPresent"} for each in (beside, ours)]
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": containers}
    return {"metadata": {"name": name}, "spec": spec}


def started(api: Api, name: str, image: str, code: str) -> dict[str, Any]:
    api.create("pods", talker(name, image, code))
    eventually(lambda: "containerStatuses" in api.get("pods", name)["status"])
    eventually(lambda: not any("waiting" in each["state"] for each in _states(api, name)))
    return api.get("pods", name)


def _states(api: Api, name: str) -> list[dict[str, Any]]:
    return list(api.get("pods", name)["status"].get("containerStatuses", ()))


class Ear:
    """What was heard, pod by pod."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.texts: dict[str, list[str]] = {}
        self.ended: set[str] = set()

    def listen(self) -> Ear:
        while not self.heard.empty():
            pod, news = self.heard.get()
            texts = self.texts.setdefault(pod, [])
            if news is None:
                self.ended.add(pod)
            elif isinstance(news, Other):
                texts.append(news.text)
            elif isinstance(news, LogEvent):
                texts += [text for _, _, text in news.lines]
        return self


NUMBERS = "import time\nfor n in range({count}): print(n); time.sleep({pause})"


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_the_log_of_the_tasks_container_is_told_line_by_line_and_to_its_end(cluster: Cluster, image: str) -> None:
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put)
    pod = started(cluster.api, "talks", image, NUMBERS.format(count=20, pause=0.02))
    follower.follow(pod, REQUEST)
    follower.follow(pod, REQUEST)
    eventually(lambda: "talks" in ear.listen().ended)
    assert numbers(20) == ear.texts["talks"]
    follower.close()


def test_frames_are_told_as_news_and_end_the_reading(cluster: Cluster, image: str) -> None:
    heard: list[Heard] = []
    follower = Follower(cluster.api, heard.append)
    frame = json.dumps({"op": "log", "attempt": 0, "start": 0, "lines": [[1.5, "stdout", 2]], "unfinished": {}})
    said = f"\x1e{frame}\nfirst\nsecond\n\x1e" + '{"op":"end"}'
    follower.follow(started(cluster.api, "says", image, f"print({said!r}); import time; time.sleep(100)"), REQUEST)
    lines = ((1.5, "stdout", "first"), (1.5, "stdout", "second"))
    told = LogEvent(run="r1", action="a0", attempt=0, start=0, lines=lines)
    eventually(lambda: [Heard("says", told), Heard("says", Ended()), Heard("says", None)] == heard)
    follower.close()


def test_lines_are_told_once_although_the_connection_breaks(cluster: Cluster, image: str, tmp_path: Path) -> None:
    ear = Ear()
    with gate(cluster.kubeconfig, tmp_path) as (way, kubeconfig):
        follower = Follower(Api(namespace=cluster.namespace, kubeconfig=kubeconfig), ear.heard.put)
        follower.follow(started(cluster.api, "talks", image, NUMBERS.format(count=300, pause=0.01)), REQUEST)
        for number in (20, 60, 120, 180):
            eventually(lambda number=number: len(ear.listen().texts.get("talks", ())) >= number)
            way.drop()
        eventually(lambda: "talks" in ear.listen().ended)
        follower.close()
    assert numbers(300) == ear.texts["talks"]


def test_more_pods_than_are_read_at_a_time_take_turns(
    cluster: Cluster, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TURN", 0.2)
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put, most=1)
    names = ["a", "b", "c"]
    wait = "; import time; time.sleep(100)"
    for name in names:
        follower.follow(started(cluster.api, name, image, f"print({name!r}){wait}"), REQUEST)
    eventually(lambda: [[name] for name in names] == [ear.listen().texts.get(name) for name in names])
    assert not ear.ended
    follower.close()


def test_what_turns_left_unread_is_told_in_order_and_nothing_twice(
    cluster: Cluster, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TURN", 0.3)
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put, most=2)
    names = ["a", "b", "c", "d"]
    for name in names:  # they stay: what a node keeps of a pod that has ended is its own business
        code = f"{NUMBERS.format(count=200, pause=0.02)}\ntime.sleep(300)"
        follower.follow(started(cluster.api, name, image, code), REQUEST)
    eventually(lambda: all("199" in ear.listen().texts.get(name, ()) for name in names))
    for name in names:  # nodes have words of their own, and may lose a file: that is not ours to test
        told = [int(text) for text in ear.texts[name] if text.isdigit()]
        assert sorted(set(told)) == told
    assert not ear.ended
    follower.close()


def test_lines_longer_than_those_of_the_runtime_are_whole(cluster: Cluster, image: str) -> None:
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put)
    follower.follow(started(cluster.api, "long", image, "print('x' * 100_000); print('end')"), REQUEST)
    eventually(lambda: "long" in ear.listen().ended)
    assert ["x" * 100_000, "end"] == ear.texts["long"]
    follower.close()


def test_a_pod_that_is_gone_has_been_read(cluster: Cluster, image: str) -> None:
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put)
    pod = started(cluster.api, "goes", image, "import time; print('here'); time.sleep(100)")
    follower.follow(pod, REQUEST)
    eventually(lambda: ["here"] == ear.listen().texts.get("goes"))
    cluster.api.delete("pods", "goes", grace=0)
    eventually(lambda: "goes" in ear.listen().ended)
    follower.close()


def test_a_log_that_nobody_wants_any_more_is_left(cluster: Cluster, image: str) -> None:
    ear = Ear()
    follower = Follower(cluster.api, ear.heard.put)
    pod = started(cluster.api, "goes", image, "import time; print('here'); time.sleep(100)")
    follower.follow(pod, REQUEST)
    eventually(lambda: ["here"] == ear.listen().texts.get("goes"))
    follower.forget("goes")
    eventually(lambda: "0 read, 0 waiting" in repr(follower))
    assert not ear.listen().ended
    follower.close()


def test_a_log_that_one_may_not_read_counts_as_read(cluster: Cluster, image: str, tmp_path: Path) -> None:
    pod = started(cluster.api, "talks", image, "import time; print('here'); time.sleep(300)")
    ear = Ear()
    follower = Follower(with_plugin(cluster, tmp_path, token(cluster)), ear.heard.put)
    follower.follow(pod, REQUEST)
    eventually(lambda: "talks" in ear.listen().ended)
    assert [] == ear.texts["talks"]
    follower.close()
