"""What stands in the editors of a form, and the value that it means: pure, and made from the fields of the table.

What an editor holds (`Raw`) is plain data: text, for a switch a bool, for pairs a list of rows, for a value with fields
a dict of these.  An empty editor within a value means the default of its field.  A value that its editors cannot hold
is edited as Python instead (`Code`), so that nothing gets lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from ...config import specification
from ...config.codec import codec_of
from ...config.field import Field, fields_of
from ...config.refusal import wrong_value
from ...config.spec import PARAMS, Param
from ...config.values.pod_spec import as_dict
from ...config.values.pod_template import PodTemplate
from ...config.values.secret import Secret
from ...config.values.timeout import Timeout
from ...config.values.value import pasted
from ...errors import ConfigError, ConfigTypeError, ConfigValueError
from . import code, hidden
from .code import Code, Names

Raw: TypeAlias = "str | bool | list[list[str]] | dict[str, Any] | Code"

OFF = "off"
NAME = "name"


def parts(f: Field) -> tuple[Field, ...]:
    """The fields that an editor has one below the other; () for one that is a single editor."""
    kinds = f.types()
    if f.editor == "fields":
        inner = fields_of(kinds[0])
        switch = Field(editor="switch", name=OFF, doc=f'Take away what a wider level gave: "{OFF}".')
        return (switch, *inner) if isinstance(f, Param) and f.off else inner
    if f.editor == "text" and kinds:  # a name, or the value itself
        return (Field(editor="text", name=NAME, doc="One that the platform knows by its name."), *fields_of(kinds[0]))
    return ()


# --- reading ----------------------------------------------------------------------------------------------------------


def setting(name: str, raw: Raw, variables: Mapping[str, Any]) -> Any:
    """The value of a parameter as `override` takes it. Raises the ConfigError that `override` would."""
    p = PARAMS[name]
    value = code.read(raw.text, variables) if isinstance(raw, Code) else _read(p, raw, variables, name)
    p.accept(value)
    return value


def _read(f: Field, raw: Raw, variables: Mapping[str, Any], what: str) -> Any:
    if isinstance(raw, dict):
        return _assembled(f, raw, variables, what)
    if isinstance(raw, list):
        return _pairs(raw, what)
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, Code) or f.editor == "code":
        written = raw.text if isinstance(raw, Code) else raw
        if not written.strip() and isinstance(f, Param) and f.default == ():
            return ()
        return code.read(written, variables)
    if f.editor == "yaml":
        return specification.loaded(raw, what)
    if f.editor == "choice" and not f.codec:
        return raw
    found = codec_of(f)
    assert found is not None, f.name  # every other editor has a text form
    try:
        return found.parse(raw)
    except ConfigValueError as problem:  # as `text.parse` says it
        raise ConfigValueError(str(problem).replace("text:", f"{what}:", 1)) from None


def _assembled(f: Field, raw: Mapping[str, Any], variables: Mapping[str, Any], what: str) -> Any:
    """The value of its parts; those that are empty are left out."""
    kind = f.types()[0]
    if raw.get(OFF):
        return OFF
    given: dict[str, Any] = {}
    for part in parts(f):
        own = raw.get(part.name, "")
        if part.name != OFF and not _is_empty(own):
            given[part.name] = _read(part, own, variables, f"{kind.__name__}.{part.name}")
    if f.editor == "text":
        name = given.pop(NAME, None)
        if name is not None and given:
            raise wrong_value(what, name, f"a name, or {', '.join(given)}, not both")
        if not given:
            return name or ""
    missing = [d.name for d in dataclasses.fields(kind) if _is_required(d) and d.name not in given]
    if missing:
        raise ConfigTypeError(f"{kind.__name__}: {', '.join(missing)} is missing")
    return kind(**given)


def _is_required(d: dataclasses.Field[Any]) -> bool:
    return d.default is dataclasses.MISSING and d.default_factory is dataclasses.MISSING


def _is_empty(raw: Raw) -> bool:
    if isinstance(raw, dict):
        return all(map(_is_empty, raw.values()))
    return raw is False or raw == [] or (isinstance(raw, str) and not raw.strip())


def _pairs(rows: list[list[str]], what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in rows:
        if not name and not value:
            continue  # a row that was just added
        if not name or name in found:
            raise wrong_value(what, name, "a name in each row, each name once")
        found[name] = value
    return found


# --- writing ----------------------------------------------------------------------------------------------------------


def raw_of(name: str, value: Any, names: Names) -> Raw:
    """What the editors of a parameter hold for a canonical value; `Code` where they cannot hold it.

    Raises:
        ConfigTypeError: not even code can.
    """
    p = PARAMS[name]
    value = plainer(value)
    if value is None and p.off:
        return {**cast("dict[str, Any]", empty(name)), OFF: True}
    try:
        raw = _write(p, value, names)
        if pasted(canonical(name, _read(p, raw, names.variables, name))) == pasted(value):
            return raw
    except ConfigError:
        pass
    written = expression(name, value, names)
    if hidden.is_in(value) and code.OPEN in written:
        raise ConfigTypeError(f"{name}: there is no code for it that could be shown")
    return Code(written)


def empty(name: str) -> Raw:
    """What the editors of a parameter hold that nobody gave, and that has no value by default."""
    return _write(PARAMS[name], None, Names({}))


def canonical(name: str, value: Any) -> Any:
    """What becomes of a value that was given."""
    return plainer(PARAMS[name].accept(value))


def plainer(value: Any) -> Any:
    """What a form, and a line of code, can show: a pod template with a spec of plain data, a timeout in seconds."""
    if isinstance(value, PodTemplate) and value.pod_spec is not None:
        return dataclasses.replace(value, pod_spec=as_dict(value.pod_spec))
    if isinstance(value, Timeout):
        given = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return Timeout(**{name: code.seconds(span) for name, span in given.items()})
    return value


def _write(f: Field, value: Any, names: Names) -> Raw:
    if inner := parts(f):
        return {part.name: _part(f, part, value, names) for part in inner}
    if f.editor == "switch":
        return bool(value)
    if f.editor == "pairs":
        return [[str(key), str(item)] for key, item in (value or {}).items()]
    if value is None or (f.editor == "code" and value == ()):
        return ""
    if f.editor == "code":
        return code.write(value, names)
    if f.editor == "yaml":
        return specification.written(as_dict(value))
    found = codec_of(f)
    assert found is not None, f.name
    return found.format(value)


def _part(f: Field, part: Field, value: Any, names: Names) -> Raw:
    """What the editor of one part holds: nothing for a default."""
    kind: Any = f.types()[0]
    fields = {d.name: d for d in dataclasses.fields(kind)}
    if part.name not in fields:
        return (value if isinstance(value, str) else "") if part.name == NAME else False
    default = None if _is_required(fields[part.name]) else fields[part.name].default
    own = getattr(value, part.name) if isinstance(value, kind) else None
    is_default = part.editor != "switch" and pasted(own) == pasted(default)
    return _write(part, None if is_default else own, names)


def expression(name: str, value: Any, names: Names) -> str:
    """The shortest code that `override` takes for a canonical value, without what looks like a credential.

    Raises:
        ConfigTypeError: there is none.
    """
    value = plainer(value)
    if hidden.is_in(value):
        return hidden.expression(name, value, names)
    return code.write(shortest(name, value), names)


def shortest(name: str, value: Any) -> Any:
    """What `override` makes the same of, and takes the least code; for a canonical value."""
    p, value = PARAMS[name], plainer(value)
    if value is None:
        return p.off
    if p.name == "secrets":
        return [one.key if one == Secret(one.key) else one for one in value]
    if p.shorthand:
        short = getattr(value, p.shorthand)
        try:
            if short is not None and pasted(p.accept(short)) == pasted(value):
                return short
        except ConfigError:
            pass
    return value
