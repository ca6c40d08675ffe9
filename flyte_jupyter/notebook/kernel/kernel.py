"""An ipykernel in which the extension is loaded and `flyte` is imported before the first cell."""

from __future__ import annotations

from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from traitlets import List, Type, Unicode

import flyte_jupyter

from ... import session
from .. import live

EXTENSION = "flyte_jupyter"


class FlyteKernel(IPythonKernel):
    """ipykernel's kernel, with an orderly end: cards show where their runs stand, and what runs, runs on."""

    implementation = "flyte-python"
    implementation_version = flyte_jupyter.__version__

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # ipykernel annotates only a part of itself
        assert self.shell is not None
        self.shell.push({"flyte": flyte_jupyter}, interactive=False)  # `%who` lists what the user has made

    def do_shutdown(self, restart: bool) -> Any:
        """Draw cards as they are now, and stop watching."""
        live.updater.flush()
        opened = session.opened()
        if opened is not None:
            opened.close()
        return super().do_shutdown(restart)  # type: ignore[no-untyped-call]  # likewise


class FlyteKernelApp(IPKernelApp):
    """Starts it."""

    name = "flyte-python"
    kernel_class = Type(FlyteKernel, klass=IPythonKernel)
    default_extensions = List(Unicode(), ["storemagic", EXTENSION])
