"""Why a result was not found, in words: what is different between two calls as the cache sees them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 3
_ORDER = ("function", "class", "global", "closure", "task", "module", "file", "library")

Places = Mapping[str, "tuple[str, int]"]


def told_apart(before: Mapping[str, Any], now: Mapping[str, Any], places: Places) -> str:
    """What is different between what was told of a result and of a call: "`scale` changed in File "…", line 3".

    Args:
        before, now: "version", "parts" and "inputs" of both.
        places: where the parts of `now` are defined: what the file is called, "" for none, and the line.
    """
    python = before["version"]["Python"], now["version"]["Python"]
    if python[0] != python[1]:  # which has byte code of its own
        return f"Python {python[0]} → {python[1]}"
    said = list(dict.fromkeys([*_versions(before, now), *_parts(before["parts"], now["parts"], places)]))
    said += [text for text in dict.fromkeys(_inputs(before["inputs"], now["inputs"], places)) if text not in said]
    shown = said[:_MOST]
    if len(said) > _MOST:
        shown.append(f"{len(said) - _MOST} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]])) or "it is not stored any more"


def _versions(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = before["version"], now["version"]
    for name in new.keys() | old.keys():
        if old.get(name) != new.get(name):
            if name == "version_override":
                yield f"{name} {_or_none(old.get(name))} → {_or_none(new.get(name))}"
            elif name == "types":
                yield "the types of inputs or outputs changed"
            else:
                yield f"{name} changed"


def _or_none(text: str | None) -> str:
    return "none" if text is None else text


def _parts(before: Mapping[str, str], now: Mapping[str, str], places: Places) -> Iterator[str]:
    """What changed; where nothing did, what came and went."""
    changed = sorted((name for name in now if name in before and before[name] != now[name]), key=_rank)
    if changed:
        yield from (_changed(name, before[name], now[name], places) for name in changed)
        return
    yield from (f"{_shown(name)} is new{_at(name, places)}" for name in sorted(now.keys() - before.keys(), key=_rank))
    yield from (f"{_shown(name)} is not used any more" for name in sorted(before.keys() - now.keys(), key=_rank))


def _inputs(before: Mapping[str, Any], now: Mapping[str, Any], places: Places) -> Iterator[str]:
    for name, told in now.items():
        old = before.get(name)
        if old is None:
            yield f"input `{name}` is new"
        elif old[""] != told[""]:
            yield f"input `{name}` differs"
        elif old != told:
            yield from _parts(_without_own(old), _without_own(told), places)
    yield from (f"input `{name}` is gone" for name in before.keys() - now.keys())


def _without_own(told: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in told.items() if name}


def _rank(part: str) -> tuple[int, str]:
    kind = part.partition(" ")[0]
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER)), part


def _changed(part: str, before: str, now: str, places: Places) -> str:
    if part.startswith("library "):
        return f"{_shown(part)} {before or 'unknown'} → {now or 'unknown'}"
    return f"{_shown(part)} changed{_at(part, places)}"


def _shown(part: str) -> str:
    """ "function make.<locals>.scale" as `scale`; what is not defined by that name with its kind."""
    kind, _, name = part.partition(" ")
    names = [each.rpartition("<locals>.")[2] for each in name.split(" of ")]
    shown = " of ".join(f"`{each}`" for each in names)
    return shown if kind in ("function", "class") else f"{kind} {shown}"


def _at(part: str, places: Places) -> str:
    file, line = places.get(part, ("", 0))
    return f" in {file}, line {line}" if file else ""
