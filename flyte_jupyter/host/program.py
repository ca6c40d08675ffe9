"""How a Python is started with a program of this package: with this copy of it, wherever it is installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def command(python: str, module: str) -> list[str]:
    """The beginning of a command line that runs `main` of a module of this package."""
    source = (
        "import sys\n"
        f"sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        f"import {PACKAGE.name}\n"
        "del sys.path[0]\n"  # what lies beside the package is no business of ours
        f"from {PACKAGE.name}.{module} import main\n"
        "sys.exit(main())\n"
    )
    return [python, "-c", source]
