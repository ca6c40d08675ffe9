"""How quick JupyterLab is with our extensions, in a real browser; what needs neither runs beside it as the floor."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.measures import Measured
from tests.browser.conftest import Lab, launched, started

_IDLE_SECONDS = 20.0


@contextmanager
def labs(*, is_extended: bool = True) -> Iterator[Lab]:
    """A JupyterLab of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fj-lab-")))
        browser = stack.enter_context(launched())
        yield stack.enter_context(started(folder, browser, is_extended=is_extended))


@functools.cache
def idle() -> Measured:
    """Percent of a core that the server takes while its page is open and nothing runs; the floor has no extension."""
    measured = Measured()
    for is_extended, samples in ((True, measured.samples), (False, measured.floors)):
        with labs(is_extended=is_extended) as lab:
            lab.write("idle.ipynb", "1 + 1")
            lab.open("idle.ipynb")
            lab.page.wait_for_timeout(5000)  # what starts has started
            server = psutil.Process(lab.server)
            began = sum(server.cpu_times()[:2])
            lab.page.wait_for_timeout(_IDLE_SECONDS * 1000)
            samples.append((sum(server.cpu_times()[:2]) - began) / _IDLE_SECONDS * 100)
    return measured
