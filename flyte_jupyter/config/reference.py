"""The text of `docs/parameters.md`, made from the table and the value types."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import text
from .field import Field, fields_of
from .image.image import Image
from .image.steps import Layered
from .param import Level, Param
from .resolve import PLACES
from .say import span
from .spec import ENV, OVERRIDE, PARAMS, TASK
from .values import device
from .values.pod_template import PodTemplate
from .values.trigger import Trigger, TriggeredPartition

_INTRO = """\
# Parameters

*Made by `python -m flyte_jupyter.config.generate` from the table in the code; what is written here by hand is lost.*

What can be said of a task, at three levels. The one nearest to the call wins, and its value replaces the others' as a
whole:

```python
env = flyte.TaskEnvironment("birds", resources=flyte.Resources(cpu=2))   # the environment, for all its tasks

@env.task(retries=3)                                                     # the decorator, for one task
async def bills(species: str) -> float: ...

await bills.override(retries=0, queue="quick")("Adelie")                 # an override, for one call
```

`None` means "not given"; `0`, `False`, `{}` and `[]` count, and `""` takes away what a wider level gave.
`bills.effective_config()` shows each value and the level that it came from. What this machine cannot do is said on the
card of the run; with `strict=True` it is refused.

**There is no Kubernetes runner yet.** What is said of Kubernetes is what it will do.
"""
_LEVELS = {ENV: "environment", TASK: "decorator", OVERRIDE: "override"}
_MOST = 12


def page() -> str:
    """The whole text."""
    parts = [
        _INTRO,
        "## All of them\n",
        _table(
            ("Parameter", *_LEVELS.values(), "Default", "What it says"),
            [
                (_link(name), *("✓" if level & p.levels else "" for level in _LEVELS), _default(p), p.doc)
                for name, p in PARAMS.items()
            ],
        ),
        "## One by one\n",
        *(_parameter(p) for p in PARAMS.values()),
        "## Values\n",
        "Values do not change once they are made, and are equal when their fields are.\n",
        *(_type(cls) for cls in _types()),
        _accelerators(),
    ]
    return "\n".join(parts)


# --- parameters


def _parameter(p: Param) -> str:
    rows = [
        ("Set in", ", ".join(f"`{place}`" for level, place in PLACES.items() if level & p.levels) + _locked(p)),
        ("Type", f"`{p.type_text}`{_or_word(p)}"),
        ("Accepts", "" if p.editor in ("text", "switch") and not p.of else _accepts(p)),
        ("Default", _default(p)),
        ("In magics", _magic(p)),
        ("On this machine", p.local + _missing(p, "local")),
        ("On Kubernetes", p.kubernetes + _missing(p, "kubernetes")),
    ]
    said = "".join(f"- **{word}:** {text}\n" for word, text in rows if text)
    return f"### `{p.name}`\n\n{p.doc}\n\n{said}"


def _locked(p: Param) -> str:
    return '; while the task is reusable, an override needs `reusable="off"` too' if p.reuse_locked else ""


def _or_word(p: Param) -> str:
    return f"; in an override also `{p.off!r}`" if p.off else ""


def _missing(p: Param, runner: str) -> str:
    """What is not built yet."""
    if runner in p.honoured:
        part = p.honoured[runner]
        return f" *Not complete yet: {part}.*" if part else ""
    is_not_for_it = runner == "local" and "kubernetes" in p.honoured
    return "" if is_not_for_it else " *Not built yet.*"


def _magic(p: Param) -> str:
    flags = [
        f"`{option.flag} {option.metavar}`" if not option.is_bool else f"`{option.flag}`"
        for option in text.options(Level.ENV | Level.TASK | Level.OVERRIDE)
        if option.param == p.name
    ]
    return ", ".join(flags)


def _default(p: Param) -> str:
    return f"`{p.default!r}`" if p.name != "name" else ""


# --- value types


def _types() -> list[type]:
    """The types that parameters and their fields take, in the order in which they are met."""
    found: list[type] = []

    def meet(fields: Iterable[Field]) -> None:
        for f in fields:
            for cls in f.types():
                if cls not in found:
                    found.append(cls)
                    meet(fields_of(cls))

    meet(PARAMS.values())
    return [Image, *found, TriggeredPartition]


def _type(cls: type) -> str:
    about = _paragraph(cls)
    rows = [
        (
            f"`{f.name}`",
            f.sentence(),
            _accepts(f) or _annotated(cls, f.name),
            _field_default(cls, f.name),
        )
        for f in fields_of(cls)
    ]
    parts = [f"### `flyte.{cls.__name__}`\n\n{about}\n"]
    if rows:
        parts.append(_table(("Field", "What it says", "Accepts", "Default"), rows))
    if makers := _makers(cls):
        parts.append(_table(("Made by", ""), makers))
    return "\n".join(parts)


def _annotated(cls: type, name: str) -> str:
    """The annotation of a field that is Python and nothing else."""
    return f"`{cls.__annotations__[name].removesuffix(' | None')}`"


def _field_default(cls: type, name: str) -> str:
    default = inspect.signature(cls).parameters[name].default
    if default in (inspect.Parameter.empty, dataclasses.MISSING):
        return "required"
    return f"`{default!r}`".replace("datetime.timedelta", "timedelta")


def _makers(cls: type) -> list[tuple[str, str]]:
    """The constructors of a type, and the methods that make another one of it."""
    if cls not in (Image, PodTemplate, Trigger):
        return []
    found = []
    for base in (cls, Layered) if cls is Image else (cls,):
        for name, member in vars(base).items():
            if base is not cls and name in vars(cls):
                continue
            func = member.__func__ if isinstance(member, classmethod) else member
            is_maker = isinstance(member, classmethod) and name != "of"
            if not name.startswith("_") and (is_maker or name.startswith("with_") or name == "clone"):
                found.append((f"`{'' if not is_maker else cls.__name__}.{name}({_arguments(func)})`", _paragraph(func)))
    return found


def _arguments(func: Callable[..., Any]) -> str:
    """The names of the arguments; those that may be left out with what they are then."""
    shown = []
    for p in list(inspect.signature(func).parameters.values())[1:]:
        star = "*" * (p.kind is p.VAR_POSITIONAL) or "**" * (p.kind is p.VAR_KEYWORD)
        shown.append(f"{star}{p.name}" + (f"={p.default!r}" if p.default is not p.empty else ""))
    return ", ".join(shown)


def _accelerators() -> str:
    rows = [
        (kind, f"`{model}`", _counts(counts), ", ".join(f"`{part}`" for part in parts))
        for kind, model, counts, parts in device.catalogue()
    ]
    about = 'What `Resources(gpu=...)` knows: as `"MODEL:COUNT"`, or as a `Device` that the function makes.'
    return f"### Accelerators\n\n{about}\n\n" + _table(("Made by", "Model", "Counts", "Parts or topologies"), rows)


def _counts(counts: Sequence[int]) -> str:
    if len(counts) > 2 and counts[-1] - counts[0] == len(counts) - 1:
        return f"{counts[0]} to {counts[-1]}"
    return ", ".join(map(str, counts))


# --- words


def _accepts(f: Field) -> str:
    """What may be given, with its unit, bounds, choices and examples."""
    said = _kind(f)
    if f.is_pair:
        said += "; two of them as a tuple"
    names = [f"[`{cls.__name__}`](#flyte{cls.__name__.lower()})" for cls in f.types()]
    said = " or ".join(part for part in (said, *names) if part)
    examples = ", ".join(f"`{example!r}`" for example in f.examples).replace("datetime.timedelta", "timedelta")
    return f"{said}; such as {examples}" if examples else said


def _kind(f: Field) -> str:
    words = _words(f)
    if words and not f.is_open:
        return words
    kind = {
        "text": "text",
        "choice": "text" if f.least is None else "a whole number",
        "switch": "`True` or `False`",
        "number": "a whole number" if f.is_whole else "a number",
        "quantity": "a number or a Kubernetes quantity" if f.unit == "cores" else "a Kubernetes quantity",
        "duration": f"{'whole ' * f.is_whole}seconds or a `timedelta`" if f.unit else "a `timedelta`",
        "moment": "a `datetime`; without time zone it is UTC",
        "pairs": "a dict of text by text",
        "list": "a list of text",
        "yaml": "a `V1PodSpec` of the kubernetes client, or a dict in Kubernetes' own spelling",
        "fields": "",
        "code": "",
    }[f.editor]
    if f.least is not None:
        least = span(f.least) if f.editor == "duration" else f"{f.least:g}"
        kind += f", {least} or more"
    kind += f" ({f.unit})" if f.unit and f.editor in ("number", "quantity") else ""
    return " or ".join(part for part in (words, kind) if part)


def _words(f: Field) -> str:
    words = f.words()
    if callable(f.choices) or len(words) > _MOST:  # what is known depends on the machine, or is a table of its own
        return "a known name"
    return ", ".join(f"`{word!r}`" for word in words)


def _link(name: str) -> str:
    return f"[`{name}`](#{name})"


def _paragraph(thing: Any) -> str:
    """The beginning of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
