"""Pod specs: which fields Kubernetes knows, and one spec as a dict and as models of its client.

The fields are in `pod_spec.json`, made from the models by `python -m flyte_jupyter.config.generate`, so that a spec is
checked without the client.  The client is imported here alone, and only where its models are wanted, or to look whether
a newer one knows a field that ours does not.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigError, ConfigValueError
from ..refusal import did_you_mean, write_text, wrong_type

FIELDS = Path(__file__).with_name("pod_spec.json")
ROOT = "V1PodSpec"
_QUANTITIES = ("limits", "requests", "overhead")
"""Fields whose values may be numbers, as in Kubernetes itself."""
_SCALARS: dict[str, tuple[type, str]] = {"str": (str, "a str"), "int": (int, "an int"), "bool": (bool, "True or False")}
_OF_MODELS = ("discriminator", "local_vars_configuration")
"""What models of older clients have beside their fields."""


@functools.cache
def kinds() -> dict[str, dict[str, str]]:
    """The fields of every kind of object in a pod spec, by their names: "str", "V1Volume", "[V1Volume]", "{str}"."""
    found: dict[str, dict[str, str]] = json.loads(FIELDS.read_text())
    return found


def is_model(value: Any) -> bool:
    """Whether it is an object of the client, of any version."""
    return hasattr(value, "openapi_types") and hasattr(value, "attribute_map") and not isinstance(value, type)


def as_dict(value: Any) -> Any:
    """The same in Kubernetes' own spelling, as dicts and lists that are copies, without what is not set."""
    if is_model(value):
        given = {value.attribute_map[name]: getattr(value, name) for name in value.openapi_types}
        return {name: as_dict(item) for name, item in given.items() if item is not None}
    if isinstance(value, Mapping):
        return {name: as_dict(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [as_dict(item) for item in value]
    return copy.deepcopy(value)


def like(given: Any, spec: dict[str, Any]) -> Any:
    """A spec as a model where `given` was one, or where nothing was given and the client is there; else the dict."""
    if is_model(given) or (given is None and client() is not None):
        return _model(ROOT, spec)
    return spec


def client() -> Any:
    """The client of Kubernetes; None when it is not installed."""
    try:
        from kubernetes import client as found
    except ImportError:
        return None
    return found


def problems(spec: Any, what: str) -> Iterator[ConfigError]:
    """What Kubernetes would not accept in a spec: fields that it does not know, and values of another kind."""
    if spec is not None:
        yield from _of_object(ROOT, spec, what)


def fields_of_client() -> dict[str, dict[str, str]]:
    """What `kinds` gives, from the client that is installed. Raises ImportError."""
    from kubernetes import client as found

    made: dict[str, dict[str, str]] = {}
    waiting = [ROOT]
    while waiting:
        kind = waiting.pop()
        if kind not in made:
            model = getattr(found, kind)
            made[kind] = {model.attribute_map[name]: _short(text) for name, text in model.openapi_types.items()}
            waiting += [inner for text in made[kind].values() if hasattr(found, inner := text.strip("[]{}"))]
    return {kind: dict(sorted(made[kind].items())) for kind in sorted(made)}


def _of_object(kind: str, value: Any, where: str) -> Iterator[ConfigError]:
    if is_model(value):
        names = value.attribute_map
        given = {names[name]: getattr(value, name) for name in value.openapi_types}
        unknown = [name for name in vars(value) if name[0] != "_" and name not in (*names, *_OF_MODELS)]
        given |= {name: getattr(value, name) for name in unknown}
    elif isinstance(value, Mapping):
        given = dict(value)
    else:
        allowed = "a V1PodSpec of the kubernetes client, or a dict" if kind == ROOT else f"a {_named(kind)} or a dict"
        yield wrong_type(where, value, allowed)
        return
    known = kinds()[kind]
    for name, item in given.items():
        if name in known:
            yield from _of_field(known[name], name, item, f"{where}.{name}")
        elif name not in _of_installed(kind):
            hint = did_you_mean(str(name), known) or f"fields: {', '.join(known)}"
            yield ConfigValueError(f"{where}.{name}: {_named(kind)} has no such field\n  {hint}")


def _of_field(kind: str, name: str, value: Any, where: str) -> Iterator[ConfigError]:
    if value is None:
        return
    if kind[0] == "[":
        if not isinstance(value, (list, tuple)):
            yield wrong_type(where, value, "a list")
            return
        for number, item in enumerate(value):
            yield from _of_field(kind[1:-1], name, item, f"{where}[{number}]")
    elif kind[0] == "{":
        if not isinstance(value, Mapping):
            yield wrong_type(where, value, 'a dict such as {"name": "value"}')
            return
        for key, item in value.items():
            if not isinstance(item, str) and name not in _QUANTITIES:
                yield wrong_type(f"{where}[{key!r}]", item, "a str", write_text(item))
    elif kind in kinds():
        yield from _of_object(kind, value, where)
    elif kind in _SCALARS:
        cls, allowed = _SCALARS[kind]
        if not isinstance(value, cls) or (cls is int and isinstance(value, bool)):
            yield wrong_type(where, value, allowed, write_text(value) if cls is str else "")


def _of_installed(kind: str) -> set[str]:
    """The fields that the installed client knows; asked for what our list does not have."""
    return set(getattr(getattr(client(), kind, None), "attribute_map", {}).values())


def _model(kind: str, spec: Mapping[str, Any]) -> Any:
    model = getattr(client(), kind)
    names = {there: name for name, there in model.attribute_map.items()}
    types = {name: _short(text) for name, text in model.openapi_types.items()}
    given = {names[there]: item for there, item in spec.items()}
    return model(**{name: _inner(types[name], item) for name, item in given.items()})


def _inner(kind: str, value: Any) -> Any:
    if kind[0] == "[":
        return [_inner(kind[1:-1], item) for item in value]
    return _model(kind, value) if isinstance(value, Mapping) and kind[0] != "{" and kind[0].isupper() else value


def _short(text: str) -> str:
    """The client's "List[V1Volume]" and "dict(str, str)" as "[V1Volume]" and "{str}"."""
    listed = re.fullmatch(r"[Ll]ist\[(.+)\]", text)
    if listed:
        return f"[{_short(listed[1])}]"
    mapped = re.fullmatch(r"[Dd]ict[\[(]str, ?(.+)[\])]", text)
    return f"{{{_short(mapped[1])}}}" if mapped else text


def _named(kind: str) -> str:
    return re.sub(r"^(Core)?V\d+", "", kind)
