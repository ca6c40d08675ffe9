"""A real cluster: the one that `FLYTE_JUPYTER_TEST_KUBECONFIG` names, or one that `kind` makes where Docker runs.

Besides it tests may need, each named by a variable: an image with this flyte_jupyter in it that the cluster can pull
(`FLYTE_JUPYTER_TEST_IMAGE`), or a registry to which one is pushed that is built for them (see `image.py`); and an
object store that it reaches (`FLYTE_JUPYTER_TEST_S3`, see `tests/contract/s3.py`), and a folder of this machine that
its nodes have, too (`FLYTE_JUPYTER_TEST_SHARED`).
Where something is missing users get a skip with the reason, and CI a failure.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.home import Home
from flyte_jupyter.runners.kubernetes import role
from flyte_jupyter.runners.kubernetes.api import Api
from tests.conftest import eventually, forget_session, lacking
from tests.kubernetes.image import REGISTRY, default_image

KUBECONFIG = "FLYTE_JUPYTER_TEST_KUBECONFIG"
IMAGE = "FLYTE_JUPYTER_TEST_IMAGE"
GIVEN_CLUSTER, GIVEN_IMAGE = os.environ.get(KUBECONFIG, ""), os.environ.get(IMAGE, "")
"""Read when this is imported, because tests do not see the variables of the person who runs them."""


@dataclass(frozen=True)
class Cluster:
    """A namespace of its own in a cluster.

    Attributes:
        kubeconfig: the file that names the cluster; namespace: in it, empty at first and removed at the end.
        api: of the two, with the rights of an administrator.
    """

    kubeconfig: str
    namespace: str
    api: Api


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The file that names the cluster."""
    if GIVEN_CLUSTER:
        yield GIVEN_CLUSTER
        return
    if shutil.which("kind") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        lacking(f"a cluster: ${KUBECONFIG}, or kind and Docker")
    file: Path = tmp_path_factory.mktemp("kind") / "kubeconfig"
    name = f"flyte-jupyter-{secrets.token_hex(4)}"
    subprocess.run(
        ["kind", "create", "cluster", "--name", name, "--kubeconfig", str(file), "--wait", "120s"], check=True
    )
    yield str(file)
    subprocess.run(["kind", "delete", "cluster", "--name", name], check=True)


@contextlib.contextmanager
def fresh(kubeconfig: str) -> Iterator[Cluster]:
    """A fresh namespace."""
    name = f"test-{secrets.token_hex(4)}"
    admin = Api(kubeconfig=kubeconfig)
    admin.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api = Api(namespace=name, kubeconfig=kubeconfig)
    eventually(lambda: api.list("serviceaccounts").items)  # without it no pod is admitted
    try:
        yield Cluster(kubeconfig, name, api)
    finally:
        admin.delete("namespaces", name)
        api.close()
        admin.close()


@pytest.fixture
def cluster(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A fresh namespace; the kubeconfig is that of this process, too."""
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    with fresh(kubeconfig) as found:
        yield found


def grant(cluster: Cluster) -> None:
    """Create the Role in the namespace, with the account that it is for, as an administrator does."""
    groups = {
        "ServiceAccount": "",
        "Role": "rbac.authorization.k8s.io/v1/",
        "RoleBinding": "rbac.authorization.k8s.io/v1/",
    }
    for manifest in role.manifests(cluster.namespace):
        cluster.api.create(f"{groups[manifest['kind']]}{manifest['kind'].lower()}s", manifest)


@pytest.fixture(scope="session")
def image() -> str:
    """An image that the cluster can pull, with this flyte_jupyter in it."""
    if GIVEN_IMAGE:
        return GIVEN_IMAGE
    if not REGISTRY:
        lacking(
            f"an image with this flyte_jupyter: ${IMAGE}, or a registry to push it to: $FLYTE_JUPYTER_TEST_REGISTRY"
        )
    return default_image()


@pytest.fixture
def kernel(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """What `flyte.init` sets holds for this test alone, as in a kernel of its own; the state folder of this machine."""
    monkeypatch.setattr(session, "defaults", session.defaults)
    monkeypatch.setattr(session, "cluster", None)
    yield home
    forget_session()


@pytest.fixture
def remote(kernel: Home, cluster: Cluster, image: str) -> Home:
    """Runs go to the cluster; the state folder of this machine."""
    flyte.init(mode="remote", namespace=cluster.namespace, image=image)
    return kernel


@pytest.fixture
def caller(cluster: Cluster) -> None:
    """The rights of the pods that start pods."""
    grant(cluster)
