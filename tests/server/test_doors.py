"""Who may ask what: each handler of the running server, without a token, without a right, without the XSRF token."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.server.routes import BELOW, ROUTES, Route
from flyte_jupyter.server.shapes.parameters import Words, parameters
from tests.conftest import eventually
from tests.server.conftest import Server, served
from tests.server.test_stream import browser

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="doors")
_NAMES = {"run": "r00000000000000", "action": "a0"}


@env.task(report=True)
def told(x: int) -> int:
    print("said")
    flyte.report.log("<b>bold</b>")
    return x


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, _of_file: Path) -> Iterator[Server]:
    """A server whose handlers are known, and where the file `allowed` says what may be done."""
    folder = tmp_path_factory.mktemp("doors")
    shutil.copy(Path(__file__).with_name("walk.py"), folder / "zz_walk.py")
    (folder / "allowed").write_text("read write execute")
    (folder / "sitecustomize.py").write_text(_NO_PICKLES)
    config = {"jpserver_extensions": {"flyte_jupyter": True, "zz_walk": True}, "authorizer_class": "zz_walk.ByFile"}
    env = {"PYTHONPATH": str(folder), "FLYTE_TEST_WALK": str(folder)}
    with served(folder, home=_of_file, config={"ServerApp": config}, env=env) as made:
        yield made


_NO_PICKLES = textwrap.dedent("""\
    import pickle, sys
    from pathlib import Path

    if "jupyter_server" in sys.orig_argv:  # not in what it starts: a run that is run again needs its task
        def refuse(*args, **kwargs):
            (Path(__file__).parent / "unpickled").touch()
            raise RuntimeError("The server unpickles.")

        class Refusing(pickle._Unpickler):
            load = refuse

        pickle.load = pickle.loads = pickle._load = pickle._loads = refuse
        pickle.Unpickler = Refusing
    """)


def _handlers(server: Server) -> list[tuple[str, str, list[str]]]:
    found: list[tuple[str, str, list[str]]] = json.loads((server.log.parent / "handlers.json").read_text())
    return found


def _paths(server: Server) -> list[tuple[str, str]]:
    """(method, path) of all that there is."""
    return [
        (method.upper(), re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda name: _NAMES.get(name[1], "x"), pattern).strip("/$^"))
        for pattern, _, methods in _handlers(server)
        for method in methods
    ]


def _asked(server: Server, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    body = b"{}" if method != "GET" else None
    return server.fetch(path, body, method=method, headers=headers)[0]


def test_all_routes_and_nothing_else_are_handlers(watched: Server) -> None:
    routes = {
        (route.method, re.sub(r"{(\w+)}", lambda n: _NAMES.get(n[1], "x"), f"{BELOW}/{route.path}")) for route in ROUTES
    }
    others = set(_paths(watched)) - routes
    assert others <= {("GET", f"{BELOW}/stream")}
    assert routes <= set(_paths(watched))


def test_nothing_is_told_without_a_token(watched: Server) -> None:
    paths = _paths(watched)
    assert len(paths) >= len(ROUTES)
    assert {} == {path: status for path in paths if (status := _asked(watched, *path, headers={})) != 403}
    wrong = {"Authorization": "token of-somebody-else"}
    assert {} == {path: status for path in paths if (status := _asked(watched, *path, headers=wrong)) != 403}


def test_nothing_is_told_without_the_right_to_it(watched: Server) -> None:
    allowed = watched.log.parent / "allowed"
    try:
        allowed.write_text("")
        refused = {path: _asked(watched, *path) for path in _paths(watched)}
        assert {} == {path: status for path, status in refused.items() if status != 403}
        allowed.write_text("read")
        reading = {path: _asked(watched, *path) for path in _paths(watched)}
        assert {"POST"} == {method for (method, _), status in reading.items() if status == 403}
        assert all(status == 403 for (method, _), status in reading.items() if method == "POST")
    finally:
        allowed.write_text("read write execute")


def test_a_browser_needs_the_xsrf_token_for_what_changes_something(watched: Server) -> None:
    cookies = watched.cookies()
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())

    posts = [path for path in _paths(watched) if path[0] == "POST"]
    without = {path: _asked(watched, *path, headers={"Cookie": cookie}) for path in posts}
    assert {} == {path: status for path, status in without.items() if status != 403}
    given = {"Cookie": cookie, "X-XSRFToken": cookies["_xsrf"]}
    assert {} == {path: status for path in posts if (status := _asked(watched, *path, headers=given)) == 403}


def test_names_that_lead_elsewhere_are_refused(watched: Server) -> None:
    for route in ROUTES:
        for parameter in parameters(route.function, route.path):
            assert parameter.place != "path" or isinstance(parameter.rule, Words)
            assert parameter.place != "path" or parameter.rule.pattern, route.path  # type: ignore[union-attr]
    for name in ("..", "%2e%2e%2f", "..%2f..%2fkey", "r0%00", "R00000000000000", "r" + "0" * 100):
        status, data, _ = watched.fetch(f"{BELOW}/runs/{name}")
        assert (name, status) in ((name, 400), (name, 404))
        status, data, _ = watched.fetch(f"{BELOW}/runs/r00000000000000/actions/{name}/logs/download")
        assert (name, status) in ((name, 400), (name, 404))
        assert b"key" not in data or status == 400


def test_large_and_broken_bodies_are_refused(watched: Server) -> None:
    def posted(body: bytes) -> tuple[int, str]:
        status, data, _ = watched.fetch(f"{BELOW}/prune", body)
        return status, json.loads(data)["message"]

    assert (400, "the body lacks 'days'.") == posted(b"{}")
    assert (400, "the body.days is not a whole number.") == posted(b'{"days": "1"}')
    assert (400, "the body.days is not a whole number.") == posted(b'{"days": true}')
    assert (400, "days: -1 is not a number from 0 to 36500.") == posted(b'{"days": -1}')
    assert (400, "the body is not an object.") == posted(b"[]")
    assert "no JSON" in posted(b"{")[1]
    assert "no JSON" in posted(b"[" * 100_000)[1]
    status, message = posted(b'{"days": 1, "x": "' + b"x" * (9 << 20) + b'"}')
    assert (413, True) == (status, "at most 8,388,608 are allowed" in message)


_TOKEN, _PASSWORD = (f"nobody-sees-{secrets.token_hex(8)}" for _ in range(2))


@env.task(report=True, retries=1)
def leaks() -> None:
    import os

    print("the token is", os.environ["DOORS_TOKEN"])
    flyte.report.log(os.environ["DOORS_TOKEN"])
    raise ValueError(f"wrong: {os.environ['DOORS_TOKEN']}")


def test_no_secret_is_in_any_answer(watched: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORS_TOKEN", _TOKEN)
    run = flyte.submit(leaks.override(secrets="DOORS_TOKEN", env_vars={"PASSWORD": _PASSWORD}))
    run.wait()
    eventually(lambda: watched.get(f"runs/{run.name}")["summary"]["phase"] == "failed")
    names = {"run": run.name, "action": "a0"}
    told = ""
    for route in ROUTES:
        if route.method == "GET":
            path = re.sub(r"{(\w+)}", lambda name: names.get(name[1], "x"), route.path)
            told += watched.fetch(f"{BELOW}/{path}")[1].decode()
    with browser(watched) as page:
        page.watch("runs", *(f"{kind}:{run.name}" for kind in ("card", "actions")), f"log:{run.name}/a0/1")
        while {"runs", "card", "actions", "log"} != {news["topic"] for news in page.told}:
            page.until(lambda news: True)
    told += json.dumps(page.told)
    assert "the token is" in told
    assert [] == [secret for secret in (_TOKEN, _PASSWORD, watched.token) if secret in told]


def test_nothing_is_unpickled(watched: Server) -> None:
    run = flyte.run(told, 1)
    names = {"run": run.name, "action": "a0"}

    def path(route: Route) -> str:
        return re.sub(r"{(\w+)}", lambda name: names.get(name[1], "x"), route.path)

    for route in ROUTES:
        if route.method == "GET":
            status, _, _ = watched.fetch(f"{BELOW}/{path(route)}")
            assert (route.path, 200) == (route.path, status)
    assert 200 == watched.ask(f"runs/{run.name}/cancel", {})[0]
    assert 200 == watched.ask(f"runs/{run.name}/rerun", {})[0]
    assert 200 == watched.ask("prune", {"days": 1})[0]
    assert not (watched.log.parent / "unpickled").exists()
