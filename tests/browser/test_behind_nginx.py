"""JupyterLab below a prefix behind a real nginx, as a hub has it: everything that is seen went through it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.conftest import WAIT, started
from tests.browser.test_live_cards import CARD, running
from tests.conftest import eventually
from tests.server.nginx import nginx

PREFIX = "/hub/user/ada%40example.org"


def test_a_prefix_and_a_proxy_change_nothing(tmp_path: Path, chromium: Browser) -> None:
    with started(tmp_path, chromium, is_extended=True, prefix=PREFIX) as lab:
        to = lab.address.removesuffix(PREFIX)
        with nginx(tmp_path / "nginx", to, f"{PREFIX}/") as through:
            lab.address = f"{through}{PREFIX}"
            asked: list[str] = []
            sockets: list[str] = []

            def hear(socket: WebSocket) -> None:
                sockets.append(socket.url)

            lab.page.on("request", lambda request: asked.append(request.url))
            lab.page.on("websocket", hear)
            running(lab)
            shown = lab.page.locator(f"{CARD}[data-source=server]")
            shown.wait_for(timeout=WAIT)
            lab.do("flyte:show-runs")
            row = lab.page.locator("#flyte-runs").get_by_role("row", name="waits, running")
            row.wait_for(timeout=WAIT)
            (lab.folder / "gate").write_text("")
            eventually(lambda: ["succeeded"] == lab.statuses(), within=60)
            lab.do("flyte:open-run", run=lab.runs()[0]["name"])
            tab = lab.page.get_by_role("tab", name="Inputs and outputs")
            tab.click(timeout=WAIT)
            expect(lab.page.locator(".flyte-Viewer")).to_contain_text("succeeded", timeout=WAIT)
            assert any(url.endswith("/flyte-jupyter/stream") for url in sockets)
            ours = [url for url in (*asked, *sockets) if "flyte-jupyter" in url]
            assert [] == [url for url in ours if not url.split("://")[1].startswith(lab.address.split("://")[1])]
            assert any(url.endswith(".js") for url in ours)
            assert [] == lab.problems
