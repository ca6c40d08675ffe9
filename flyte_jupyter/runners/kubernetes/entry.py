"""`python -m flyte_jupyter.runners.kubernetes.entry`: what the container of a task's pod runs."""

from __future__ import annotations

import sys

from ...host.once import main

if __name__ == "__main__":
    sys.exit(main())
