"""What a Jupyter server tells of runs in a real cluster, and does with them, whatever becomes of their kernel."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from tests.conftest import PATIENCE, eventually, forget_session
from tests.kubernetes.conftest import Cluster
from tests.server.conftest import Server, served
from tests.server.test_stream import browser

env = flyte.TaskEnvironment(name="far", resources=flyte.Resources(cpu="100m", memory="200Mi"))


@env.task
def add(x: int) -> int:
    return x + 1


@env.task(report=True)
def add_up(n: int) -> int:
    for number in range(n):
        print("line", number)
    flyte.report.log("<h1>of the pod</h1>")
    flyte.report.flush()
    return sum(add(x) for x in range(n))


@env.task
def count(until: int) -> int:
    """Prints a line each tenth of a second."""
    for number in range(until):
        print("line", number, flush=True)
        time.sleep(0.1)
    return until


@env.task
def eat() -> int:
    return len(bytearray(1 << 30))


no_image = flyte.TaskEnvironment(name="no_image", image="127.0.0.1:9/not-there:1")


@no_image.task
def unpulled() -> None: ...


@pytest.fixture
def server(remote: Home, tmp_path: Path) -> Iterator[Server]:
    with served(tmp_path, home=remote.path) as made:
        yield made


def explained(server: Server, run: str, said: str) -> dict[str, Any]:
    """The first action of a run, once the server says that of it."""
    told: list[dict[str, Any]] = []

    def is_said() -> bool:
        told.append(server.get(f"runs/{run}/actions/a0"))
        return said in told[-1]["explanation"]

    try:
        eventually(is_said)
    except AssertionError:
        pytest.fail(f"what was told at last: {told[-1]}")
    return told[-1]


def test_a_run_is_told_from_its_start_to_its_end(server: Server, cluster: Cluster, caller: None) -> None:
    run = is_told(server)
    assert server.get(f"runs/{run}")["summary"]["site"].endswith(f"/{cluster.namespace}")
    pod = server.get(f"runs/{run}/actions/a0")["pod"]
    assert pod.startswith(f"{run}-a0-")
    card = server.get(f"runs/{run}/card")["html"]
    assert pod in card
    assert "kubectl" in card


def is_told(server: Server) -> str:
    """A run of which a server tells all, wherever its data are; its name."""
    with browser(server) as page:
        page.watch("runs")
        run = flyte.submit(add_up, 3)
        for phase in ("queued", "running", "succeeded"):
            page.until_run(run.name, phase)
    detail = server.get(f"runs/{run.name}")
    assert ("remote", {"succeeded": 3}) == (detail["summary"]["mode"], detail["summary"]["actions"])
    assert {"far.add_up", "far.add"} == {each["name"] for each in detail["source"]}
    assert {"add_up": 1, "add": 3} == _counted(server.get(f"runs/{run.name}/actions"))
    first = server.get(f"runs/{run.name}/actions/a0")
    [attempt] = first["attempts"]
    assert ("6", True, 3) == (first["result"]["text"], attempt["report"], attempt["printed"])
    [tab] = server.get(f"runs/{run.name}/actions/a0/report")["tabs"]
    assert "<h1>of the pod</h1>" in tab["document"]
    lines = server.get(f"runs/{run.name}/actions/a0/logs")["lines"]
    assert ["line 0", "line 1", "line 2"] == [text for _, _, text in lines]
    return run.name


def _counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    titles = [row["title"] for row in rows]
    return {title: titles.count(title) for title in titles}


def test_a_log_is_told_while_the_pod_prints_it_from_any_line_on(server: Server) -> None:
    run = flyte.submit(count, 60)
    topic = f"log:{run.name}/a0/0"
    lines: list[str] = []
    with browser(server) as page:
        page.watch("runs", topic, **{topic: 3})
        while len(lines) < 10:
            told = page.until(lambda news: news["topic"] == "log")["page"]
            assert not told["is_complete"]
            lines += [text for _, _, text in told["lines"]]
        part = server.get(f"runs/{run.name}/actions/a0/logs?start=5&limit=4")
        while not told["is_complete"]:
            told = page.until(lambda news: news["topic"] == "log")["page"]
            lines += [text for _, _, text in told["lines"]]
    assert [f"line {number}" for number in range(5, 9)] == [text for _, _, text in part["lines"]]
    assert [f"line {number}" for number in range(3, 60)] == lines
    status, data, headers = server.fetch(f"flyte-jupyter/runs/{run.name}/actions/a0/logs/download")
    assert (200, "".join(f"line {number}\n" for number in range(60)).encode()) == (status, data)
    assert headers["Content-Disposition"].startswith("attachment")


def test_why_a_pod_does_not_start_is_told(server: Server) -> None:
    large = flyte.submit(add.override(resources=flyte.Resources(cpu=5000)), 1)
    told = explained(server, large.name, "no node of the cluster has 5000 cores")
    assert "Unschedulable" in told["explanation"]
    run = flyte.submit(unpulled)
    told = explained(server, run.name, "image 127.0.0.1:9/not-there:1 cannot be pulled")
    assert "initializing" == told["row"]["phase"]
    eventually(lambda: "cannot be pulled" in server.get(f"runs/{run.name}")["summary"]["reason"])
    server.post(f"runs/{run.name}/cancel", {})
    run.wait(PATIENCE)


def test_why_a_pod_has_failed_is_told(server: Server) -> None:
    run = flyte.submit(eat.override(resources=flyte.Resources(cpu="100m", memory=("200Mi", "300Mi"))))
    told = explained(server, run.name, "OOM")
    assert "300 MiB" in told["explanation"]
    eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "failed")


def test_what_the_server_cancels_has_ended_for_the_code(server: Server) -> None:
    run = flyte.submit(count, 6000)
    eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "running")
    server.post(f"runs/{run.name}/cancel", {"reason": "nobody wants it"})
    with pytest.raises(flyte.errors.ActionAbortedError, match="nobody wants it"):
        run.result()
    eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "aborted")


def test_a_run_is_followed_by_a_server_that_begins_when_its_kernel_is_gone(remote: Home, tmp_path: Path) -> None:
    run = flyte.submit(count, 60)
    eventually(lambda: list(run.get_logs()))
    forget_session()  # no process of the kernel's is left: nobody else watches it
    with served(tmp_path, home=remote.path) as server, browser(server) as page:
        page.watch(f"card:{run.name}")
        page.until(lambda news: "line " in news["card"]["html"])
        page.until(lambda news: news["card"]["phase"] == "succeeded" and "line 59" in news["card"]["html"])
        assert "succeeded" == server.get(f"runs/{run.name}")["summary"]["phase"]


def test_the_cluster_of_a_run_is_listed_and_what_is_set_up_is_asked(
    server: Server, cluster: Cluster, remote: Home
) -> None:
    assert [] == server.get("clusters")
    run = flyte.submit(add, 1)
    there = ("", cluster.api.context, cluster.namespace, True)
    eventually(lambda: _clusters(server) == [there])
    assert "Kubernetes 1." in server.get("clusters")[0]["said"]
    remote.settings.write_text(
        f'[kubernetes]\nnamespace = "{cluster.namespace}"\n[queues.far]\nnamespace = "no-such-namespace"\n'
    )
    away = ("far", cluster.api.context, "no-such-namespace", True)
    eventually(lambda: _clusters(server) == [there, away])
    assert "no-such-namespace" in server.get("clusters")[1]["said"]
    assert "not found" in server.get("clusters")[1]["said"]
    run.wait(PATIENCE)


def _clusters(server: Server) -> list[tuple[Any, ...]]:
    return [
        tuple(each[name] for name in ("queue", "context", "namespace", "is_reached"))
        for each in server.get("clusters")
        if each["said"]
    ]


class Relay:
    """A way to a cluster, which can be cut.

    Args:
        kubeconfig: made of the file `to`, but for that it goes this way.
    """

    def __init__(self, kubeconfig: Path, to: str) -> None:
        config = yaml.safe_load(Path(to).read_text())
        cluster = config["clusters"][0]["cluster"]
        there = urlsplit(cluster["server"])
        self._there = there.hostname, there.port
        self._near = socket.create_server(("127.0.0.1", 0))
        cluster["server"] = f"https://127.0.0.1:{self._near.getsockname()[1]}"
        kubeconfig.write_text(yaml.safe_dump(config))
        self._open: list[socket.socket] = []
        self._is_cut = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # as `close` ends it
            while True:
                near, _ = self._near.accept()
                self._open.append(near)
                if self._is_cut:
                    near.shutdown(socket.SHUT_RDWR)
                    continue
                far = socket.create_connection(self._there)
                self._open.append(far)
                for ends in ((near, far), (far, near)):
                    self._threads.append(thread := threading.Thread(target=self._pass_on, args=ends))
                    thread.start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self._is_cut = True
        for each in self._open:
            with contextlib.suppress(OSError):  # it has ended
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._near.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._near, *self._open):
            each.close()


def test_a_cluster_that_goes_away_holds_up_nothing_and_is_followed_when_it_is_back(
    remote: Home, cluster: Cluster, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with (
        closing(Relay(kubeconfig, cluster.kubeconfig)) as relay,
        served(tmp_path, home=remote.path, env={"KUBECONFIG": str(kubeconfig)}) as server,
    ):
        run = flyte.submit(count, 200)
        eventually(lambda: server.get(f"runs/{run.name}/actions/a0/logs")["lines"])
        relay.cut()
        told = explained(server, run.name, "Nothing is heard of it for now: The cluster ")
        assert "running" == told["row"]["phase"]
        assert "nothing is heard of it for now" in server.get(f"runs/{run.name}/card")["html"]
        eventually(lambda: server.get(f"runs/{run.name}")["summary"]["reason"])
        assert server.get(f"runs/{run.name}/actions/a0/logs")["lines"]
        status, refused = server.ask(f"runs/{run.name}/cancel", {})
        assert (502, True) == (status, "cannot be reached" in refused["message"])
        eventually(lambda: [False] == [each["is_reached"] for each in server.get("clusters")])
        relay.mend()
        eventually(lambda: server.get(f"runs/{run.name}")["summary"]["phase"] == "succeeded")
        assert 200 == server.get(f"runs/{run.name}/actions/a0/logs")["total"]
