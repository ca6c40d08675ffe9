"""Runs in a cluster: the one of the tests, see tests/kubernetes/conftest.py; each beside the cluster's own floor."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.runners.kubernetes.api import Api
from tests.benchmarks.measures import Measured
from tests.conftest import eventually, forget_session
from tests.kubernetes.image import default_image

_TURNS = 10
_MANY = 200
env = flyte.TaskEnvironment(name="bench", resources=flyte.Resources(cpu="10m", memory="64Mi"))


@env.task
def nothing(x: int) -> int:
    return x


@contextmanager
def namespace() -> Iterator[tuple[Api, str]]:
    """One for runs of this process, and the image that they run in."""
    admin, name, image = Api(), f"bench-{secrets.token_hex(4)}", default_image()
    admin.create("namespaces", {"metadata": {"name": name}})
    api = Api(namespace=name)
    eventually(lambda: api.list("serviceaccounts").items)
    forget_session()
    flyte.init(mode="remote", namespace=name, image=image)
    try:
        yield api, image
    finally:
        forget_session()
        session.defaults, session.cluster = session.RunOptions(), None
        admin.delete("namespaces", name)


def timed(what: Callable[[], object]) -> float:
    begin = time.perf_counter()
    what()
    return (time.perf_counter() - begin) * 1000


def bare_pod(api: Api, image: str) -> None:
    """Create a pod, and wait until the cluster says that it runs."""
    name = f"bare-{secrets.token_hex(4)}"
    container = {"name": "bare", "image": image, "command": ["sleep", "600"]}
    made = api.create("pods", {"metadata": {"name": name}, "spec": {"containers": [container]}})
    watch = api.watch(
        "pods", made["metadata"]["resourceVersion"], fields=f"metadata.name={name}", seconds=60, silence=60
    )
    for line in watch:
        if json.loads(line)["object"]["status"].get("phase") == "Running":
            break
    watch.close()
    api.delete("pods", name, grace=0)


def fresh() -> Measured:
    """From `flyte.run` to the value, image on the node."""
    with namespace() as (api, image):
        flyte.run(nothing, 0).result()
        bare_pod(api, image)
        samples, floors = [], []
        for turn in range(_TURNS):
            floors.append(timed(lambda: bare_pod(api, image)))
            samples.append(timed(lambda turn=turn: flyte.run(nothing, turn).result()))
        return Measured(samples, floors)


def many() -> tuple[Measured, Measured]:
    """Milliseconds for each of many submissions; megabytes that the kernel has grown when all have ended."""
    with namespace() as (api, image):
        flyte.run(nothing, -1).result()
        before = psutil.Process().memory_info().rss
        runs: list[Any] = []
        each = timed(lambda: runs.extend(flyte.run(nothing, x) for x in range(_MANY))) / _MANY
        assert list(range(_MANY)) == [run.result() for run in runs]
        grown = (psutil.Process().memory_info().rss - before) / 1e6
        jobs = api.list("jobs").items[:20]
        bare = [
            {**job, "metadata": {"name": f"bare-{n}"}, "spec": {**job["spec"], "selector": None}}
            for n, job in enumerate(jobs)
        ]
        for job in bare:
            del job["status"]
            job["spec"]["template"]["metadata"]["labels"] = {}
            job["spec"]["parallelism"] = 0
        floor = timed(lambda: [api.create("jobs", job) for job in bare]) / len(bare)
        return Measured([each], [floor]), Measured([grown], [0.0])


def idle(seconds: float = 30.0) -> int:
    """Requests within that time while nothing runs and the session watches."""
    with namespace():
        flyte.run(nothing, 0).result()
        time.sleep(5)
        asked: list[str] = []
        send = Api._send

        def counted(self: Api, method: str, path: str, *rest: Any, **more: Any) -> Any:
            asked.append(path)
            return send(self, method, path, *rest, **more)

        Api._send = counted  # type: ignore[method-assign]
        try:
            time.sleep(seconds)
        finally:
            Api._send = send  # type: ignore[method-assign]
        return len(asked)
