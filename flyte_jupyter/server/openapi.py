"""The OpenAPI document of the routes: made of their signatures and the shapes, see `generate`."""

from __future__ import annotations

import inspect
import json
import re
import types
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from .. import __version__
from .answers.here import Download, Here
from .routes import BELOW, ROUTES
from .shapes.parameters import Parameter, Within, Words, parameters
from .shapes.stream import Refused

FILE = Path(__file__).with_name("openapi.json")
_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_ABOUT = (
    "What flyte_jupyter runs, for front ends. All paths are below the base URL of the Jupyter server, which"
    ' authenticates and authorises each request (resource "flyte_jupyter", "read" for GET and "write" for POST), and'
    " asks for its XSRF token where a browser posts with a cookie. News come over the WebSocket `stream`: a front end"
    " sends `Watch`, the server `News`."
)


def document(_: Here) -> dict[str, Any]:
    """This document."""
    found: dict[str, Any] = _read()
    return found


@cache
def _read() -> Any:
    return json.loads(FILE.read_text("utf-8"))


def made() -> str:
    """The text of `openapi.json`."""
    shapes: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(f"/{BELOW}/{route.path}", {})[route.method.lower()] = _operation(
            route.function, parameters(route.function, route.path), shapes
        )
    of_error = _schema(Refused, shapes)
    responses = {"Refused": {"description": "What was wrong, for people.", "content": _json(of_error)}}
    told = {
        "openapi": "3.1.0",
        "info": {"title": "flyte_jupyter", "version": __version__, "description": _ABOUT},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(shapes.items())),
            "responses": responses,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }
    return json.dumps(told, indent=1) + "\n"


def _operation(answer: Any, known: list[Parameter], shapes: dict[str, Any]) -> dict[str, Any]:
    about = inspect.getdoc(answer) or ""
    told = get_type_hints(answer)["return"]
    good = {"text/plain": {"schema": {"type": "string"}}} if told is Download else _json(_schema(told, shapes))
    operation: dict[str, Any] = {
        "operationId": f"{answer.__module__.rpartition('.')[2]}_{answer.__name__}",
        "summary": " ".join(about.partition("\n\n")[0].split()),
        "parameters": [_parameter(each) for each in known if each.place != "body"],
    }
    for each in known:
        if each.place == "body":
            operation["requestBody"] = {"required": True, "content": _json(_schema(each.type, shapes))}
    operation["responses"] = {
        "200": {"description": "It is as it was asked for.", "content": good},
        "default": {"$ref": "#/components/responses/Refused"},
    }
    return operation


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _parameter(of: Parameter) -> dict[str, Any]:
    number = int in (of.type, *get_args(of.type))
    schema: dict[str, Any] = {"type": "integer" if number else "string", **_ruled(of.rule)}
    if not of.is_required and of.default is not None:
        schema["default"] = of.default
    return {"name": of.name, "in": of.place, "required": of.is_required, "schema": schema}


def _ruled(rule: Words | Within | None) -> dict[str, Any]:
    if isinstance(rule, Within):
        return {"minimum": rule.least, "maximum": rule.most}
    rule = rule or Words()
    return {"maxLength": rule.most, **({"pattern": f"^{rule.pattern}$"} if rule.pattern else {})}


def _schema(hint: Any, shapes: dict[str, Any]) -> dict[str, Any]:
    origin, of = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is Any:
        return {}
    if is_typeddict(hint):
        return _named(hint, shapes)
    if origin is Annotated:
        return _schema(of[0], shapes)
    if origin is Literal:
        return {"type": "string", "enum": list(of)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if each is type(None) else _schema(each, shapes) for each in of]}
    if origin is list:
        return {"type": "array", "items": _schema(of[0], shapes)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_schema(each, shapes) for each in of]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(of[1], shapes)}
    raise TypeError(f"{hint} has no schema here.")


def _named(hint: Any, shapes: dict[str, Any]) -> dict[str, Any]:
    name = hint.__name__
    if name not in shapes:
        shapes[name] = {}  # it may be within itself
        fields = get_type_hints(hint)
        shapes[name] = {
            "type": "object",
            "description": re.sub(r"\s+", " ", inspect.getdoc(hint) or ""),
            "properties": {field: _schema(of, shapes) for field, of in fields.items()},
            "required": [field for field in fields if field in hint.__required_keys__],
        }
    return {"$ref": f"#/components/schemas/{name}"}
