"""Runs in a cluster: the one of the tests, see tests/kubernetes/conftest.py; each beside the cluster's own floor."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

import flyte_jupyter as flyte
from flyte_jupyter import session
from flyte_jupyter.runners.kubernetes.api import Api
from tests.benchmarks.measures import Measured, private_home
from tests.conftest import eventually, forget_session
from tests.kernel.front import Cell, Front
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
    version, only = made["metadata"]["resourceVersion"], f"metadata.name={name}"
    watch = api.watch("pods", version, fields=only, seconds=60, silence=60)
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


def on_the_card() -> Measured:
    """From when another watch sees that the pod runs to when the card in a notebook says so of the task; in between the
    Host starts in the pod.
    """
    with namespace() as (api, image), private_home() as home:
        here = f"flyte.init(mode='remote', namespace={api.namespace!r}, image={image!r})"
        declared = "env = flyte.TaskEnvironment('bench')\n@env.task\ndef nap():\n    import time\n    time.sleep(2)"
        samples: list[float] = []
        with Front(home, "%load_ext flyte_jupyter\nimport flyte_jupyter as flyte", here, declared) as front:
            for _ in range(_TURNS):
                seen: dict[str, float] = {}

                def watched(seen: dict[str, float] = seen) -> None:
                    watch = api.watch("pods", api.list("pods").version, seconds=60, silence=60)
                    for line in watch:
                        if json.loads(line)["object"]["status"].get("phase") == "Running":
                            seen["pod"] = time.perf_counter()
                            watch.close()

                def drawn(cell: Cell, seen: dict[str, float] = seen) -> None:
                    if cell.displays and "card" not in seen and any("running" in text for text in cell.card()):
                        seen["card"] = time.perf_counter()

                other = threading.Thread(target=watched)
                other.start()
                front.run("flyte.run(nap).wait()", drawn)
                other.join()
                samples.append((seen["card"] - seen["pod"]) * 1000)
        return Measured(samples, [0.0])


def many() -> Measured:
    """Milliseconds for each of many submissions, of which only a few run at a time; the floor is to create its Job."""
    with namespace() as (api, _):
        flyte.run(nothing, -1).result()
        large = nothing.override(resources=flyte.Resources(cpu=1, memory="64Mi"))
        made = [timed(lambda x=x: flyte.run(large, x)) for x in range(_MANY)]
        job = api.list("jobs").items[0]
        del job["status"], job["spec"]["selector"]
        job["spec"]["template"]["metadata"]["labels"] = {}
        job["spec"]["parallelism"] = 0
        bare = [{**job, "metadata": {"name": f"bare-{number}"}} for number in range(_MANY)]
        return Measured(made, [timed(lambda each=each: api.create("jobs", each)) for each in bare])


def memory_of_many() -> Measured:
    """Megabytes that the kernel has grown when many runs are open and watched; the floor is one run."""
    with namespace():
        flyte.run(nothing, -1).result()
        before = psutil.Process().memory_info().rss
        large = nothing.override(resources=flyte.Resources(cpu=1, memory="64Mi"))
        runs = [flyte.run(large, x) for x in range(_MANY)]
        grown = (psutil.Process().memory_info().rss - before) / 1e6
        for run in runs:
            run.cancel()
        return Measured([grown], [0.0])


def idle(seconds: float = 30.0) -> Measured:
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
        return Measured([float(len(asked))], [0.0])
