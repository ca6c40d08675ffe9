"""The Host of one request, in real pods."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import flyte_jupyter as flyte
from flyte_jupyter import TaskEnvironment
from flyte_jupyter.home import Home
from flyte_jupyter.pods import Phase
from tests.integration.containers import Call
from tests.kubernetes.conftest import Cluster
from tests.kubernetes.jobs import Job

env = TaskEnvironment("pods")


@env.task
def look() -> dict[str, Any]:
    print("looking")
    context = flyte.ctx()
    Path("here").write_text("a folder to write to")
    return {
        "cwd": os.getcwd(),
        "home": str(Path.home()),
        "user": os.getuid(),
        "is_in_cluster": context.is_in_cluster(),
        "names": (os.environ["RUN_NAME"], os.environ["ACTION_NAME"]),
        "told": sorted(name for name in os.environ if name.startswith("FLYTE_JUPYTER_")),
        "can_write_to_the_image": os.access(os.path.dirname(sys.executable), os.W_OK),
    }


def test_a_pod_runs_one_call_and_tells_of_it(cluster: Cluster, image: str, tmp_path: Path, home: Home) -> None:
    call = Call(tmp_path, home, look)
    pod = Job(cluster, image, call).create().pod()
    assert 0 == pod.ended(), pod.text.decode()
    call.pour(pod)
    assert [Phase.QUEUED, Phase.INITIALIZING, Phase.RUNNING, Phase.SUCCEEDED] == pod.phases()
    assert (["looking"], True) == (pod.lines(), pod.has_said_all)
    assert {
        "cwd": "/flyte/work",
        "home": "/flyte/work",
        "user": 1000,
        "is_in_cluster": True,
        "names": ("r1", "a0"),
        "told": ["FLYTE_JUPYTER_HOME", "FLYTE_JUPYTER_NAMESPACE", "FLYTE_JUPYTER_POD"],
        "can_write_to_the_image": False,
    } == call.value()
