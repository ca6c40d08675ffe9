"""All magics, and how they come into a shell and leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..hooks import Hooks
from . import matcher
from .call import OVERRIDE, RUN
from .cell import TASK
from .environments import ENV
from .errors import quietly, usage_error
from .export import EXPORT
from .magic import Magic, Use
from .options import OptionError
from .runs import CANCEL, LOGS, RUNS
from .setup import CONFIG, DOCTOR

MAGICS: tuple[Magic, ...] = (TASK, ENV, RUN, OVERRIDE, RUNS, LOGS, CANCEL, CONFIG, DOCTOR, EXPORT)
"""Each by its one-line entry; options, completions and help come from its parser."""


def register(shell: Any, hooks: Hooks) -> None:
    """Define the magics in a shell; again is harmless."""
    from IPython.core.magic import no_var_expand  # braces belong to the settings, not to IPython

    for magic in MAGICS:
        function = no_var_expand(_function(magic, shell, hooks))
        for kind in _kinds(magic):
            shell.register_magic_function(function, magic_kind=kind, magic_name=magic.name)
    matcher.register(shell, MAGICS)


def unregister(shell: Any) -> None:
    """Take them away."""
    for magic in MAGICS:
        for kind in _kinds(magic):
            shell.magics_manager.magics[kind].pop(magic.name, None)
    matcher.unregister(shell)


def without_cell(magic: Magic) -> str:
    """What is said of a cell magic that is used as a line magic."""
    return f"it runs the cell below it, which is empty; %{magic.name} --help shows its options"


def _kinds(magic: Magic) -> tuple[str, ...]:
    return ("line", "cell") if magic.takes_cell else ("line",)


def _function(magic: Magic, shell: Any, hooks: Hooks) -> Callable[..., Any]:
    """A magic as the function that IPython wants: its docstring is what `?` shows."""

    def function(line: str, cell: str | None = None) -> Any:
        try:
            use = Use(shell, hooks, line, magic.parser.parse(line), cell or "")
            if "--help" in use.line.options:
                return use.say(magic.parser.help())
            if cell is None and magic.takes_cell:
                raise OptionError(without_cell(magic))
        except OptionError as e:
            raise usage_error(magic, e) from None
        return quietly(magic, use)

    function.__doc__ = magic.parser.help()
    function.__name__ = function.__qualname__ = magic.name
    return function
