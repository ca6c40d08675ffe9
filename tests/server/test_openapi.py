"""The OpenAPI document says what is answered."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

import flyte_jupyter as flyte
from flyte_jupyter.server.routes import BELOW, ROUTES
from tests.server.conftest import Server

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="documented", resources=flyte.Resources(cpu=1, memory="200Mi"))


@env.task
def child(x: int) -> int:
    return x


@env.task(report=True, links=())
def parent(x: int) -> list[int]:
    print("said")
    flyte.report.log("<b>bold</b>")
    return [child(x)]


@env.task(retries=1)
def fails() -> None:
    raise ValueError("always")


def test_answers_have_the_form_that_the_document_says(server: Server) -> None:
    flyte.run(parent, 1)
    failed = flyte.submit(fails)
    failed.wait()
    run = flyte.run(parent, 2)
    document = server.get("openapi.json")
    assert {f"/{BELOW}/{route.path}" for route in ROUTES} == document["paths"].keys()

    def check(path: str, answer: Any, status: str = "200") -> None:
        told = document["paths"][path]["get"]["responses"][status]["content"]
        schema = {**told["application/json"]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer)

    for route in ROUTES:
        if route.method == "GET" and not route.path.endswith("/download"):
            for names in ({"run": run.name, "action": "a0"}, {"run": failed.name, "action": "a0"}):
                if (names["run"], route.path.endswith("/report")) == (failed.name, True):
                    continue  # which has none
                path = re.sub(r"{(\w+)}", lambda name, names=names: names[name[1]], route.path)
                check(f"/{BELOW}/{route.path}", server.get(path))

    _, refused = server.ask("runs/r00000000000000")
    shapes = document["components"]
    jsonschema.Draft202012Validator({"$ref": "#/components/schemas/Refused", "components": shapes}).validate(refused)


def test_no_address_is_absolute(server: Server) -> None:
    run = flyte.run(parent, 1)
    for path in ("openapi.json", "runs", f"runs/{run.name}", f"runs/{run.name}/card", f"runs/{run.name}/actions"):
        _, data, headers = server.fetch(f"flyte-jupyter/{path}")
        assert b"127.0.0.1" not in data
        assert b"http://" not in data
        assert "Location" not in headers
