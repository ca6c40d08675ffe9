"""The specification of a kernel as Jupyter wants it: a folder with `kernel.json` and a picture."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec

NAME = "flyte-python"
PROVISIONER = "flyte-environment"
"""Of the entry point that starts kernels under an environment."""
_MODULE = "flyte_jupyter.notebook.kernel"
_PICTURES = Path(__file__).parent / "resources"


def specification(title: str = "", environment: str = "") -> dict[str, Any]:
    """What stands in `kernel.json`: as for ipykernel's own kernel, but for the program.

    Args:
        title: shown in the launcher; "" for one that names the Python.
        environment: "file.py:NAME" of the TaskEnvironment that the whole kernel runs under, "" for none.
    """
    from ipykernel.kernelspec import get_kernel_dict

    made: dict[str, Any] = get_kernel_dict()
    program = made["argv"].index("-m") + 1
    made["argv"][program] = _MODULE
    made["display_name"] = title or f"Flyte (Python {sys.version_info.major}.{sys.version_info.minor})"
    if environment:
        made["interrupt_mode"] = "message"  # the process that Jupyter knows is not the kernel's own
        config = {"environment": environment}
        made["metadata"]["kernel_provisioner"] = {"provisioner_name": PROVISIONER, "config": config}
    return made


def install(made: dict[str, Any], name: str = NAME, *, user: bool = False, prefix: str | None = None) -> str:
    """Tell Jupyter of a kernel; the folder that it is in. An older one of that name is replaced.

    Args:
        user: for this user alone; prefix: for the Jupyter that is installed there. Without both, for all users.

    Raises:
        OSError: the folder cannot be written. ValueError: the name is not one for a kernel.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    with tempfile.TemporaryDirectory() as folder:
        for picture in _PICTURES.iterdir():
            shutil.copy(picture, folder)
        (Path(folder) / "kernel.json").write_text(json.dumps(made, indent=1))
        return str(KernelSpecManager().install_kernel_spec(folder, name, user=user, prefix=prefix))


def installed() -> list[tuple[str, str, str, str]]:
    """Our kernels: name, title, environment ("" for none), folder."""
    return [
        (
            name,
            made.display_name,
            made.metadata.get("kernel_provisioner", {}).get("config", {}).get("environment", ""),
            folder,
        )
        for name, (made, folder) in sorted(_ours().items())
    ]


def uninstall(name: str = NAME) -> str | None:
    """Take it away; the folder that it was in, None when there is none of ours with that name. Raises `OSError`."""
    found = _ours().get(name)
    if found is None:
        return None
    shutil.rmtree(found[1])
    return found[1]


def _ours() -> dict[str, tuple[KernelSpec, str]]:
    """By name, also those whose provisioner this Jupyter does not find, and which it therefore does not show."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    folders = KernelSpecManager().find_kernel_specs()
    found = {name: (KernelSpec.from_resource_dir(folder), folder) for name, folder in folders.items()}
    return {name: (made, folder) for name, (made, folder) in found.items() if _MODULE in made.argv}
