"""`python -m flyte_jupyter.notebook.kernel install` and `uninstall`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ...errors import ConfigError
from . import environment, spec


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        if given.word == "uninstall":
            folder = spec.uninstall(given.name)
            _say(f"removed {folder}" if folder else f"there is no kernel {given.name!r} of flyte_jupyter")
            return 0 if folder else 1
        where = environment.place(given.environment, Path.cwd()) if given.environment else ""
        title = given.title
        if where and not title:
            title = f"Flyte: {environment.load(where).name}"
        name = given.name or (f"flyte-{_plain(where.rpartition(':')[2])}" if where else spec.NAME)
        prefix = sys.prefix if given.sys_prefix else given.prefix
        _say(f"installed {spec.install(spec.specification(title, where), name, user=given.user, prefix=prefix)}")
    except (ConfigError, OSError, ValueError) as error:
        print(f"flyte-python: {error}", file=sys.stderr)  # noqa: T201 - a program for the terminal
        return 1
    return 0


def _say(text: str) -> None:
    print(text)  # noqa: T201 - a program for the terminal


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower())


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m flyte_jupyter.notebook.kernel", description=spec.__doc__)
    words = top.add_subparsers(dest="word", metavar="WORD", required=True)
    install = words.add_parser("install", help="tell Jupyter of the kernel")
    where = install.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user's Jupyter, wherever that is installed")
    where.add_argument("--sys-prefix", action="store_true", help="for the Jupyter beside this Python")
    where.add_argument("--prefix", help="for the Jupyter that is installed there")
    install.add_argument("--name", default="", help=f"of the kernel; {spec.NAME} by default")
    install.add_argument("--title", default="", help="shown in the launcher")
    install.add_argument(
        "--environment",
        metavar="FILE.py:NAME",
        help="run the whole kernel under this TaskEnvironment: its image, variables, secrets and limits",
    )
    uninstall = words.add_parser("uninstall", help="take it away again")
    uninstall.add_argument("--name", default=spec.NAME, help="of the kernel")
    return top
