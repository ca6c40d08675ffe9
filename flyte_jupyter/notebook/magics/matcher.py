"""Completions and inspection, as IPython asks for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...config import text
from ...config.about import documentation
from ...config.resolve import LEVEL_NAMES
from ...config.spec import PARAMS, Level
from ...markup import columns
from ...task import Task
from .. import live
from ..cells import places
from .complete import Completions, in_magic, in_python
from .known import Notebook
from .magic import Magic

_ID = "flyte_jupyter"
_FIRST = 1000
"""Before IPython's own, of which none knows more about our lines."""


def register(shell: Any, magics: tuple[Magic, ...]) -> None:
    """Complete and explain in a shell; again is harmless."""
    unregister(shell)
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        completer.custom_matchers.append(_matcher(shell, magics))
    shell.object_inspect_mime = _inspector(shell.object_inspect_mime)
    hooks = getattr(shell.inspector, "mime_hooks", {})
    hooks["text/plain"] = _about  # without hooks, before IPython 8.22, a task's own docs are all that it adds


def unregister(shell: Any) -> None:
    """Leave that to IPython again."""
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        ours = [matcher for matcher in completer.custom_matchers if getattr(matcher, "matcher_identifier", "") == _ID]
        for matcher in ours:
            completer.custom_matchers.remove(matcher)
    vars(shell).pop("object_inspect_mime", None)
    hooks = getattr(shell.inspector, "mime_hooks", {})
    if hooks.get("text/plain") is _about:
        del hooks["text/plain"]


def _matcher(shell: Any, magics: tuple[Magic, ...]) -> Callable[..., Any]:
    from IPython.core.completer import SimpleCompletion, context_matcher

    marked: Callable[[Callable[..., Any]], Callable[..., Any]] = context_matcher(identifier=_ID, priority=_FIRST)
    parsers = {magic.name: magic.parser for magic in magics}

    def matcher(context: Any) -> Any:
        lines = context.full_text.split("\n")
        before, below = context.text_until_cursor, "\n".join(lines[context.cursor_line + 1 :])
        known = Notebook(shell.user_ns, below).names
        above = "\n".join([*lines[: context.cursor_line], before])
        found = in_magic(before, parsers, known) or in_python(above, known) or Completions("", ())
        return {
            "completions": [SimpleCompletion(text=word, type=kind) for word, kind in found.found],
            "matched_fragment": found.fragment,
            "suppress": bool(found.found),
            "ordered": True,
        }

    return marked(matcher)


def _inspector(original: Callable[..., Any]) -> Callable[..., Any]:
    def object_inspect_mime(oname: str, *args: Any, **kwargs: Any) -> Any:
        """As IPython's, and for what it does not find: what the parameter or the option of that name says."""
        try:
            return original(oname, *args, **kwargs)
        except KeyError:
            param = PARAMS.get(text.name_of(oname))
            if param is not None:
                return {"text/plain": f"{param.name}: {param.type_text}\n\n{param.sentence()}\n\n{param.local}"}
            options = {option.flag: option for level in Level for option in text.options(level)}
            option = options.get(text.flag_of(text.name_of(oname)))
            if option is None:
                raise
            return {"text/plain": f"{option.flag} {option.metavar}\n\n{option.help}"}

    return object_inspect_mime


def _place(file: str) -> str:
    """A file as a saved notebook may name it: JupyterLab keeps what `task?` says as an output."""
    shell = live.shell()
    name = places.names_of(shell)(file) if shell is not None else None
    return name or str(places.without_home({"text/plain": places.file(file)})["text/plain"])


def _about(data: Any) -> list[tuple[str, str]] | None:
    """What `task?` shows: signature, docs, and the configuration with the level of each value."""
    task = data.obj
    if not isinstance(task, Task):
        return None
    config = task.effective_config()
    rows = [row for row in config.rows() if row[2] != LEVEL_NAMES[None] and row[0] not in ("name", "docs")]
    given = columns([("parameter", "value", "from"), *rows]) if rows else "nothing but its environment"
    rest = f"{len(config) - len(rows)} defaults: .effective_config() shows them"
    source = [("Source", data.info_dict["source"])] if data.detail_level and data.info_dict.get("source") else []
    return [
        ("Signature", f"{'async ' * task.is_async}{task.func.__name__}{inspect.signature(task.func)}"),
        ("Task", task.name),
        ("Docstring", documentation(task.spec, task.func) or "<no docstring>"),
        ("Configuration", f"\n{given}\n{rest}"),
        ("File", _place(inspect.getsourcefile(task.func) or "<unknown>")),
        *source,
    ]
