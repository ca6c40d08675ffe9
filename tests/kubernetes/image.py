"""The default image for tests on a cluster, of this checkout: built and pushed once, by the product itself.

    python -m tests.kubernetes.image        # prints its reference

FLYTE_JUPYTER_TEST_REGISTRY      the registry that this machine pushes to and the cluster pulls from
FLYTE_JUPYTER_TEST_BASE_IMAGE    what it is built from, by default what the product takes
FLYTE_JUPYTER_TEST_BASE_ARCHIVE  a docker-archive with that base image, for where no registry has it; buildah reads it
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from flyte_jupyter.config.cluster import Cluster
from flyte_jupyter.container.build import Progress
from flyte_jupyter.container.images import Images

REGISTRY = os.environ.get("FLYTE_JUPYTER_TEST_REGISTRY", "")
BASE_IMAGE = os.environ.get("FLYTE_JUPYTER_TEST_BASE_IMAGE", "")
BASE_ARCHIVE = os.environ.get("FLYTE_JUPYTER_TEST_BASE_ARCHIVE", "")
"""Read when this is imported, because tests do not see the variables of the person who runs them."""


def cluster() -> Cluster:
    """As far as images are concerned."""
    if not REGISTRY:
        raise LookupError("FLYTE_JUPYTER_TEST_REGISTRY does not say which registry tests may push to")
    return Cluster(registry=REGISTRY, base_image=BASE_IMAGE)


def default_image() -> str:
    """The reference of the default image, which is on the registry when this returns."""
    images = Images(cluster())
    wanted = images.wanted("auto")
    with (Path(tempfile.gettempdir()) / "flyte-jupyter-test-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side build it once
        load_base()
        images.have(wanted.uri, Progress(step=_say, line=_say))
    return wanted.uri


def load_base() -> None:
    """Have the base image where the builder looks first."""
    base = BASE_IMAGE.replace("{python}", "{}.{}".format(*sys.version_info))
    if (
        not BASE_ARCHIVE
        or not subprocess.run(["buildah", "inspect", base], capture_output=True, check=False).returncode
    ):
        return
    subprocess.run(["buildah", "pull", "--quiet", f"docker-archive:{BASE_ARCHIVE}"], check=True, capture_output=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    print(default_image())
