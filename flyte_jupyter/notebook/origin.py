"""Which notebook this is: what its runs remember, and how another kernel knows that they are its own.

Nothing tells a kernel for sure. The Jupyter server names the file when it starts the kernel, VS Code in a variable; a
kernel that is restarted keeps its connection file; and cells have ids that stay when a notebook is renamed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


def of(shell: Any) -> dict[str, str]:
    """What is known: the notebook's `path`, the `kernel`'s connection file, the `cell` that runs. {} in a terminal."""
    if getattr(shell, "kernel", None) is None:
        return {}
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    known = {"path": path, "kernel": _connection_file(), "cell": _request(shell).get("metadata", {}).get("cellId")}
    return {name: str(value) for name, value in known.items() if value}


def here() -> dict[str, str]:
    """The same of this process, whether the extension is loaded or not."""
    ipython = sys.modules.get("IPython")
    return of(ipython.get_ipython()) if ipython is not None else {}


def is_within_a_cell(shell: Any) -> bool:
    """Whether what is displayed now has a cell to appear in: not while a kernel starts."""
    return bool(_request(shell).get("header"))


def is_same(then: Mapping[str, str], now: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists) -> bool:
    """Whether a run's notebook is this one: the same kernel, restarted; the same file; or one that was renamed since,
    which has the same cell to load the extension in, while no file has the old name. Pure but for `exists`.

    Args:
        then, now: as `of` gives it, with `loads`, the cell that has loaded the extension.
    """
    if any(name in then and then[name] == now.get(name) for name in ("kernel", "path")):
        return True
    is_renamed = "path" in then and "path" in now and not exists(then["path"])
    return is_renamed and "loads" in then and then["loads"] == now.get("loads")


def was_its_kernel(then: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a run was a kernel under an environment that this notebook had before. Pure."""
    return "serves" in then and then["serves"] == now.get("kernel")


def _request(shell: Any) -> dict[str, Any]:
    request: dict[str, Any] = shell.kernel.get_parent()
    return request


def _connection_file() -> str | None:
    application = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
    return application.instance().abs_connection_file if application and application.initialized() else None
