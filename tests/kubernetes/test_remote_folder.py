"""Runs in a real cluster on a volume that their pods and this machine share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from tests.conftest import forget_session, lacking
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.test_server import is_told
from tests.server.conftest import served

SHARED = os.environ.get("FLYTE_JUPYTER_TEST_SHARED", "")
"""A folder of this machine that is one of every node, too."""
env = flyte.TaskEnvironment(name="folder", resources=flyte.Resources(cpu="100m", memory="300Mi"))


@env.task
def reverse(data: bytes) -> bytes:
    print("reversing", len(data), "as", os.getuid())
    return data[::-1]


@env.task
def twice(data: bytes) -> bytes:
    return reverse(data) + reverse(data)


@pytest.fixture(autouse=True)
def place(kernel: Home, cluster: Cluster, image: str) -> Iterator[Path]:
    """The folder, which is also a volume with a claim to it; remote runs are there."""
    if not SHARED:
        lacking("a folder that nodes share with this machine: $FLYTE_JUPYTER_TEST_SHARED")
    folder = Path(tempfile.mkdtemp(dir=SHARED))
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": cluster.namespace}
    size = {"storage": "1Gi"}
    volume = {"accessModes": spec["accessModes"], "capacity": size, "hostPath": {"path": str(folder)}}
    volumes = "/api/v1/persistentvolumes"
    cluster.api.ask("POST", volumes, body={"metadata": {"name": cluster.namespace}, "spec": volume})
    cluster.api.create(
        "persistentvolumeclaims", {"metadata": {"name": "shared"}, "spec": {**spec, "resources": {"requests": size}}}
    )
    where = {"store": f"file://{folder}/flyte", "store_claim": f"shared:{folder}"}
    flyte.init(mode="remote", namespace=cluster.namespace, image=image, run_as_user=os.getuid(), **where)
    yield folder
    forget_session()
    cluster.api.ask("DELETE", f"{volumes}/{cluster.namespace}")
    shutil.rmtree(folder)


def test_what_a_run_takes_and_leaves_is_on_the_volume(place: Path, caller: None) -> None:
    data = os.urandom(5_000_000)
    run = flyte.run(twice, data)
    assert data[::-1] * 2 == run.result()
    assert 3 == len(list(place.rglob("outcome*")))
    again = flyte.run(reverse, data)
    assert data[::-1] == again.result()
    assert [f"reversing 5000000 as {os.getuid()}"] == list(again.get_logs())


def test_a_server_tells_all_of_a_run(kernel: Home, tmp_path: Path, caller: None) -> None:
    with served(tmp_path, home=kernel.path) as server:
        is_told(server)
