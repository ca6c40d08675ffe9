"""Start the kernel (`-f CONNECTION_FILE`), or tell Jupyter of it (`install`, `uninstall`)."""

from __future__ import annotations

import sys


def main() -> int:
    """Jupyter calls it with a connection file, people with a word."""
    if sys.argv[1:2] in (["install"], ["uninstall"], ["--help"], ["-h"]):
        from . import command

        return command.main(sys.argv[1:])
    from .kernel import FlyteKernelApp

    FlyteKernelApp.launch_instance()
    return 0


if __name__ == "__main__":
    if sys.path[0] == "":  # of `-m`; ipykernel adds the folder of the notebook itself
        del sys.path[0]
    sys.exit(main())
