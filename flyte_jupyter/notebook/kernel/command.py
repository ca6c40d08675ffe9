"""`flyte_jupyter kernel install`, `list` and `uninstall`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ...errors import ConfigValueError
from ...markup import columns
from . import environment, spec


def add_to(parser: argparse.ArgumentParser) -> None:
    """Let a command line have the words `install`, `list` and `uninstall`; `given.do(given)` does them."""
    words = parser.add_subparsers(required=True, metavar="WORD")
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
    install.set_defaults(do=_install)
    listed = words.add_parser("list", help="show the kernels of flyte_jupyter that Jupyter knows")
    listed.set_defaults(do=_list)
    uninstall = words.add_parser("uninstall", help="take it away again")
    uninstall.add_argument("--name", default=spec.NAME, help="of the kernel")
    uninstall.set_defaults(do=_uninstall)


def _install(given: argparse.Namespace) -> int:
    where = environment.place(given.environment, Path.cwd()) if given.environment else ""
    title = given.title or (f"Flyte: {environment.load(where).name}" if where else "")
    name = given.name or (f"flyte-{_plain(where.rpartition(':')[2])}" if where else spec.NAME)
    prefix = sys.prefix if given.sys_prefix else given.prefix
    try:
        folder = spec.install(spec.specification(title, where), name, user=given.user, prefix=prefix)
    except (OSError, ValueError) as error:
        raise ConfigValueError(f"the kernel {name!r} cannot be installed: {error}") from error
    _say(f"installed {folder}")
    return 0


def _list(_: argparse.Namespace) -> int:
    found = spec.installed()
    head = ("Name", "Title", "Environment", "Folder")
    _say(columns([head, *found], widest=200) if found else "no kernel of flyte_jupyter")
    return 0


def _uninstall(given: argparse.Namespace) -> int:
    folder = spec.uninstall(given.name)
    _say(f"removed {folder}" if folder else f"there is no kernel {given.name!r} of flyte_jupyter")
    return 0 if folder else 1


def _say(text: str) -> None:
    print(text)  # noqa: T201 - a program for the terminal


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower())
