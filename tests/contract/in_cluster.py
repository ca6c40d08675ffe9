"""A cluster as a place where the contract of runners is tried."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flyte_jupyter.config.cluster import Cluster as Settings
from flyte_jupyter.config.values.pod_template import PodTemplate
from flyte_jupyter.engine.request import Place
from flyte_jupyter.home import Home
from flyte_jupyter.runners import Runner
from flyte_jupyter.runners.kubernetes.api import Api
from flyte_jupyter.runners.kubernetes.runner import KubernetesRunner
from flyte_jupyter.runners.kubernetes.signing import signing_key
from flyte_jupyter.store import open_store
from tests.conftest import eventually, lacking
from tests.contract.labs import Lab
from tests.contract.s3 import bucket, credentials
from tests.kubernetes.conftest import Cluster, fresh, grant
from tests.kubernetes.gate import Gate, gate

WHO = "contract"
CREDENTIALS = "credentials-of-the-bucket"
OTHER_COMMAND = PodTemplate(pod_spec={"containers": [{"name": "primary", "command": ["sleep", "60"]}]})


class KubernetesLab:
    """A namespace.

    Args:
        way: to it, through which `kubeconfig` leads; store: the URL that this machine knows.
    """

    reuse = None
    starts_within = 12.0
    lacks = ({"pod_template": OTHER_COMMAND}, "the task runs there")

    def __init__(self, cluster: Cluster, settings: Settings, store: str, way: Gate, kubeconfig: str) -> None:
        self._cluster, self._settings, self._way, self._kubeconfig = cluster, settings, way, kubeconfig
        self._runners: list[KubernetesRunner] = []
        self.store, self.key = open_store(store), signing_key(cluster.api, WHO)
        self.place = Place(
            store=self.store.url,
            python=sys.executable,
            cwd="",
            path=(),
            labels={"session": "session", "user": WHO},
            cluster=settings,
            images=lambda _: settings.image,
        )

    def runner(self) -> Runner:
        api = Api(namespace=self._cluster.namespace, kubeconfig=self._kubeconfig)
        self._runners.append(KubernetesRunner(api, self._settings, self.store, self.key, WHO))
        return self._runners[-1]

    def lose(self) -> None:
        """All connections break, and all nodes are gone with their pods."""
        self._way.drop()
        for pod in self._cluster.api.list("pods").items:
            self._cluster.api.delete("pods", pod["metadata"]["name"], grace=0)

    def close(self) -> None:
        for runner in self._runners:
            runner.close()
            runner.api.close()


@contextlib.contextmanager
def in_cluster(cluster: Cluster, image: str, home: Home, *, with_bucket: bool = False) -> Iterator[Lab]:
    """A namespace, reached through a gate.

    Args:
        with_bucket: that its pods reach; else all that they leave comes with their logs.
    """
    grant(cluster)
    settings = Settings(namespace=cluster.namespace, image=image)
    with contextlib.ExitStack() as open_:
        store = home.store_url
        if with_bucket:
            store = open_.enter_context(bucket())
            cluster.api.create("secrets", {"metadata": {"name": CREDENTIALS}, "stringData": credentials()})
            settings = Settings(namespace=cluster.namespace, image=image, store=store, store_secret=CREDENTIALS)
        lab = KubernetesLab(cluster, settings, store, *open_.enter_context(gate(cluster.kubeconfig, home.path)))
        open_.callback(lab.close)
        yield lab


def shared(folder: Path) -> dict[str, Any]:
    """A pod whose primary container sees a folder of its node, where it is there."""
    volume = {"name": "shared", "hostPath": {"path": str(folder)}}
    container = {"name": "primary", "volumeMounts": [{"name": "shared", "mountPath": str(folder)}]}
    return {"containers": [container], "volumes": [volume]}


def require_shared(kubeconfig: str, image: str, folder: Path) -> None:
    """Skip where nodes do not see the files of this machine: tests and pods tell each other by them."""
    word, file = secrets.token_hex(8), folder / "seen"
    file.write_text(word)
    code = f"import pathlib; assert pathlib.Path({str(file)!r}).read_text() == {word!r}"
    spec = shared(folder)
    spec["containers"][0] |= {"image": image, "command": ["python3", "-c", code]}
    with fresh(kubeconfig) as cluster:
        cluster.api.create("pods", {"metadata": {"name": "sees"}, "spec": {**spec, "restartPolicy": "Never"}})

        def phase() -> str:
            return str(cluster.api.get("pods", "sees")["status"]["phase"])

        eventually(lambda: phase() in ("Succeeded", "Failed"))
        if phase() == "Failed":
            lacking("nodes that see the files of this machine")
    file.unlink()
