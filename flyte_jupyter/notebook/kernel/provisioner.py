"""Starts kernels under a TaskEnvironment: an entry point of jupyter_client, named in `kernel.json`."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from ...host.program import command


class EnvironmentProvisioner(LocalProvisioner):
    """As for a kernel of this machine, but what is started is a program that runs it under the environment."""

    environment = Unicode(config=True, help='"file.py:NAME" of the TaskEnvironment.')

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the program before the command of the kernel."""
        launch: dict[str, Any] = await super().pre_launch(**kwargs)
        program = command(sys.executable, "notebook.kernel.environment")
        return {**launch, "cmd": [*program, self.environment, *launch["cmd"]]}

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """A little longer: the run ends after its kernel."""
        return recommended + 5.0
