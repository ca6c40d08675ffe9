"""`%flyte_runs`: what ran, and what runs."""

from __future__ import annotations

import time

from ... import api
from ..cards import tables
from .magic import Magic, Use
from .options import Flag, OptionError, Parser


def runs(use: Use) -> None:
    """Show the newest runs."""
    number = use.line.options.get("--number", "20")
    if not number.isdigit():
        raise OptionError(f"-n {number}: not a number")
    views = [run.view() for run in api.runs(int(number))]
    use.publish(tables.runs(views, now=time.time()))


RUNS = Magic(
    "flyte_runs",
    Parser("%flyte_runs [-n NUMBER]", "The newest runs.", [Flag("--number", "How many.", "NUMBER", "-n")], most=0),
    runs,
)
