"""Behind proxies: a prefix, headers of the one who has terminated TLS, and WebSockets through all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.home import Home
from tests.conftest import eventually, lacking
from tests.server.conftest import Server, free_port, is_up, served
from tests.server.nginx import nginx
from tests.server.test_stream import browser

pytestmark = pytest.mark.one_host

env = flyte.TaskEnvironment(name="proxied")
_PREFIX = "/hub/user/ada%40example.org/"


@env.task
def told(x: int) -> int:
    print("said")
    return x


@env.task
def waits(path: str) -> None:
    eventually(Path(path).exists)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, _of_file: Path) -> Iterator[tuple[Server, Server]]:
    """A server below a prefix as a hub has it, seen through nginx; and the same below another one, which nginx takes
    away.
    """
    folder = tmp_path_factory.mktemp("behind")
    config = {"ServerApp": {"jpserver_extensions": {"flyte_jupyter": True}, "trust_xheaders": True}}
    with served(folder, home=_of_file, prefix=_PREFIX, config=config) as server:
        to = server.address.removesuffix(_PREFIX.rstrip("/"))
        with nginx(folder / "nginx", to, _PREFIX) as address:
            through = replace(server, address=f"{address}{_PREFIX.rstrip('/')}")
            eventually(lambda: is_up(through))
            yield through, replace(server, address=f"{address}/elsewhere")


def _is_usable(server: Server, tmp_path: Path) -> None:
    """What a front end does: list, look, listen, cancel, save."""
    run = flyte.run(told, 1)
    with browser(server) as page:
        page.watch("runs")
        going = flyte.submit(waits, str(tmp_path / "never"))
        page.until_run(going.name, "running")
        assert run.name in [each["name"] for each in server.get("runs")["runs"]]
        assert {} == server.post(f"runs/{going.name}/cancel", {})
        page.until_run(going.name, "aborted")
    status, data, headers = server.fetch(f"flyte-jupyter/runs/{run.name}/actions/a0/logs/download")
    assert (200, b"said\n") == (status, data)
    assert headers["Content-Disposition"].startswith("attachment")
    for path in ("runs", f"runs/{run.name}", f"runs/{run.name}/card", "openapi.json"):
        assert "127.0.0.1" not in json.dumps(server.get(path))
    assert 404 == server.ask("runs/r00000000000000")[0]


def test_below_a_prefix_behind_nginx_as_a_hub_has_it(behind: tuple[Server, Server], tmp_path: Path) -> None:
    _is_usable(behind[0], tmp_path)


def test_below_a_prefix_that_the_proxy_takes_away(behind: tuple[Server, Server], tmp_path: Path) -> None:
    _is_usable(behind[1], tmp_path)


def test_a_page_of_another_origin_gets_no_stream_through_the_proxy(behind: tuple[Server, Server]) -> None:
    import websocket

    through, _ = behind
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in through.cookies().items())}
    with (
        pytest.raises(websocket.WebSocketBadStatusException, match="403"),
        browser(through, header=cookie, origin="https://elsewhere.example"),
    ):
        pass
    host = through.address.split("/")[2]
    with browser(
        through, header=cookie, origin=f"https://{host}"
    ) as page:  # the page has come over TLS, which nginx has terminated
        page.watch("runs")
        page.until(lambda news: news["topic"] == "runs")


def test_through_jupyter_server_proxy(tmp_path: Path, home: Home) -> None:
    if find_spec("jupyter_server_proxy") is None:
        lacking("jupyter-server-proxy: pip install jupyter-server-proxy")
    (tmp_path / "inner").mkdir()
    (tmp_path / "outer").mkdir()
    port = free_port()
    outer_config = {"ServerApp": {"jpserver_extensions": {"jupyter_server_proxy": True, "flyte_jupyter": False}}}
    with (
        served(tmp_path / "inner", home=home.path, prefix=f"/proxy/absolute/{port}/", port=port) as inner,
        served(tmp_path / "outer", home=home.path, config=outer_config, token=inner.token) as outer,
    ):
        _is_usable(replace(inner, address=f"{outer.address}/proxy/absolute/{port}"), tmp_path)
