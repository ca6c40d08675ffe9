"""The form of a level: everything that a panel, a completion or another language has to know, as plain JSON data."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from .codec import codec_of
from .field import Field, fields_of
from .plain import plain
from .resolve import LEVEL_NAMES
from .spec import ENV, PARAMS, Level


def form(level: Level) -> list[dict[str, Any]]:
    """The parameters of a level (or of any of a union of levels), in the order of the table.

    Each is a dict of
        name, editor, doc, unit, choices, least: as in `Field`; `choices` with the word that takes a value away;
        open: whether something else than the choices is accepted;
        whole, pair: whether numbers are whole, and whether two of them are accepted;
        examples: as text where the value has a text form, else as code;
        has_text: whether `text.parse` takes it as text;
        default: as plain data; `required`: whether there is none;
        types: the value types that are accepted, each with its `name`, `doc` and `fields`, which are dicts like this;
        shorthand: the field of that type whose text alone stands for the value;
    and for a parameter also of
        levels: where it may be set; locked: whether it is fixed while the task is reusable;
        effects: what comes of it with each runner; honoured: what each runner does of that already, "" for all.
    """
    return [
        {
            **_described(p, inside=False),
            "choices": [*p.words(), *([p.off] if p.off and level is not ENV else [])],
            "required": name == "name",
            "default": plain(p.default),
            "levels": [LEVEL_NAMES[one] for one in Level if one & p.levels],
            "locked": p.reuse_locked,
            "effects": {"local": p.local, "kubernetes": p.kubernetes},
            "honoured": dict(p.honoured),
        }
        for name, p in PARAMS.items()
        if p.levels & level
    ]


def _described(f: Field, *, inside: bool) -> dict[str, Any]:
    codec = codec_of(f, inside=inside)
    return {
        "name": f.name,
        "editor": f.editor,
        "doc": f.doc,
        "unit": f.unit,
        "choices": list(f.words()),
        "open": f.is_open,
        "least": f.least,
        "whole": f.is_whole,
        "pair": f.is_pair,
        "examples": [codec.format(f.canonical(one)) if codec is not None else repr(one) for one in f.examples],
        "has_text": codec is not None,
        "types": [_type(cls) for cls in f.types()],
        "shorthand": f.shorthand,
    }


def _type(cls: type) -> dict[str, Any]:
    return {
        "name": cls.__name__,
        "doc": (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " "),
        "fields": [{**_described(f, inside=True), **_default(cls, f.name)} for f in fields_of(cls)],
    }


def _default(cls: type, name: str) -> dict[str, Any]:
    default = inspect.signature(cls).parameters[name].default
    missing = default is inspect.Parameter.empty or default is dataclasses.MISSING
    return {"required": missing, "default": None if missing else plain(default)}
