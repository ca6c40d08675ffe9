"""Jobs of single calls, as a runner makes them, and what their pods say."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flyte_jupyter.config.cluster import Cluster as Settings
from flyte_jupyter.pods import PodRequest
from flyte_jupyter.runners.kubernetes.features import features_of
from flyte_jupyter.runners.kubernetes.manifest.job import job
from tests.conftest import eventually
from tests.contract.s3 import credentials
from tests.integration.containers import Call, Heard
from tests.kubernetes.conftest import Cluster


def secret(cluster: Cluster, name: str, data: Mapping[str, bytes]) -> None:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    cluster.api.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded})


class Job:
    """A call; its pods are replaced when they are lost.

    It is in the bucket that its store is, with the credentials of this process; else it travels in a Secret.
    """

    def __init__(self, cluster: Cluster, image: str, call: Call) -> None:
        self.cluster = cluster
        self.request = call.request
        self.name = f"{self.request.run}-{self.request.action}"
        secret(cluster, f"{self.name}-key", {"key": call.home.key()})
        settings = Settings(namespace=cluster.namespace)
        if call.request.store.startswith("file:"):
            secret(cluster, f"{self.name}-call", {file.name: file.read_bytes() for file in call.carry().iterdir()})
        else:
            call.put()
            secret(cluster, "bucket", {name: value.encode() for name, value in credentials().items()})
            settings = replace(settings, store=call.request.store, store_secret="bucket")
        self.manifest = job(
            self.request,
            settings,
            features_of(cluster.api),
            image=image,
            call_secret=f"{self.name}-call",
            key_secret=f"{self.name}-key",
        )

    def create(self) -> Job:
        self.cluster.api.create("jobs", self.manifest)
        return self

    def pods(self) -> list[dict[str, Any]]:
        """In the order in which they were made."""
        found = self.cluster.api.list("pods", labels=f"job-name={self.name}").items
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def pod(self, but: str = "") -> Follower:
        """Follow the log of its pod, from when that is there.

        Args:
            but: the name of the one before, of which the log is known.
        """

        def others() -> list[str]:
            return [name for pod in self.pods() if (name := pod["metadata"]["name"]) != but]

        eventually(others)
        return Follower(self.cluster, others()[0], self.request)


class Follower(Heard):
    """What a pod says."""

    def __init__(self, cluster: Cluster, name: str, request: PodRequest) -> None:
        super().__init__(request)
        self.name = name
        self._cluster = cluster
        eventually(lambda: "running" in self.state() or "terminated" in self.state())
        self._stream = cluster.api.log(name, follow=True)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def state(self) -> dict[str, Any]:
        """Of its container."""
        status = self._cluster.api.get("pods", self.name)["status"]
        return dict((status.get("containerStatuses") or [{}])[0].get("state", {}))

    def _read(self) -> None:
        for line in self._stream:
            self.take(line.partition(b" ")[2] + b"\n")
        self.close()

    def _read_again(self) -> None:
        """All of it: the log that is followed may end before it was sent."""
        self.news, self.text = [], b""
        self._stream = self._cluster.api.log(self.name)
        self._read()

    def ended(self) -> int:
        """The exit code of its container, once all that it says has come."""
        eventually(lambda: "terminated" in self.state())
        self._thread.join()
        if not self.has_said_all:
            self._read_again()
        return int(self.state()["terminated"]["exitCode"])
