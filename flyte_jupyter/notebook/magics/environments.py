"""`%flyte_env`: environments."""

from __future__ import annotations

from ...config import resolve, text
from ...config.say import said
from ...config.spec import PARAMS, Level
from ...environment import TaskEnvironment, environments
from ...markup import cut
from ..cards import tables
from .magic import Magic, Use
from .options import Line, Parser, values
from .task import environment, make_environment


def env(use: Use) -> None:
    """Make, show or list environments."""
    line = use.line
    _named(line)
    if not line.words:
        rows = [(env.name, len(env.tasks), _given(env)) for env in environments().values()]
        head = ("Environment", "Tasks", "Settings")
        use.publish(tables.bundle(head, rows, title="Environments", empty="no environments"))
        return
    name = line.words[0]
    variable = name.replace("-", "_")
    is_there = name in environments() or isinstance(use.variables.get(name), TaskEnvironment)
    if is_there and not line.settings:
        shown = environment(name, use.variables)
        use.publish({"text/plain": repr(shown), "text/html": shown._repr_html_()})
        return
    made = make_environment(name, values(line.settings, Level.ENV, use.variables))
    if variable.isidentifier():
        use.variables[variable] = made
    use.say(f"{variable} = {made!r}")


def check(line: Line, _: str) -> None:
    """What no environment takes. Raises `OptionError`, `ConfigError`."""
    _named(line)
    if line.settings or not all(word.isidentifier() for word in line.words):  # else it may be a variable's name
        resolve.check(Level.ENV, {"name": line.words[0], **text.collect(line.texts, Level.ENV)})


def _named(line: Line) -> None:
    if line.settings and not line.words:
        raise line.refusal(f"which environment?\nusage: {ENV.parser.usage}", *line.settings)


def _given(env: TaskEnvironment) -> str:
    words = {key: said(PARAMS[key], value) for key, value in env._layer.items() if key != "name"}
    return "; ".join(f"{key}: {cut(text, 60)}" for key, text in words.items())


ENV = Magic(
    "flyte_env",
    Parser(
        "%flyte_env [NAME] [options]",
        "Make an environment and bind it to a variable of that name. With the name of an existing one alone, show it;"
        " without arguments, list all.",
        level=Level.ENV,
        names=("environments",),
    ),
    env,
    check,
)
