"""Start the kernel: `python -m flyte_jupyter.notebook.kernel -f CONNECTION_FILE`, as Jupyter does."""

from __future__ import annotations

import sys


def main() -> int:
    """Until it is shut down."""
    from .kernel import FlyteKernelApp

    FlyteKernelApp.launch_instance()
    return 0


if __name__ == "__main__":
    if sys.path[0] == "":  # of `-m`; ipykernel adds the folder of the notebook itself
        del sys.path[0]
    sys.exit(main())
