"""Evaluate snippets with one of the two packages: `python evaluate.py flyte|flyte_jupyter`, JSON in and out.

A program for the interpreter of either package, so it imports nothing of the tests.  A snippet is Python; its value is
that of its last expression.  It sees the public names of the package, the helpers below and `k8s`, the client of
Kubernetes.  All of them are evaluated in one process and in a folder with some files, which a snippet may change.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime
import enum
import importlib
import json
import logging
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import FunctionType
from typing import Any

FILES = {
    "requirements.txt": "polars==1.0\n",
    "more.txt": "-r requirements.txt\n",
    "pyproject.toml": "[project]\nname = 'x'\nversion = '0'\n",
    "uv.lock": "version = 1\n",
    "poetry/pyproject.toml": "[tool.poetry]\nname = 'x'\n",
    "poetry/poetry.lock": "# made\n",
    "pixi/pixi.toml": "[workspace]\nname = 'x'\nchannels = []\n",
    "script.py": "# /// script\n# dependencies = ['polars']\n# ///\nprint(1)\n",
    "plain.py": "print(1)\n",
    "Dockerfile": "FROM python:3.12\n",
    "other/Dockerfile": "FROM python:3.12\n",
    "changed/Dockerfile": "FROM python:3.13\n",
    "src/a.py": "A = 1\n",
    "src/b.py": "B = 1\n",
}


def sync(x: int, y: str = "a") -> int:
    """A task that is not async."""
    return x


async def coro(x: int, y: str = "a") -> int:
    """A task that is async."""
    return x


class Policy:
    """A cache policy of the user's."""

    def get_version(self, salt: str, params: Any) -> str:
        return f"{salt}-1"


class MyLink:
    """A link of the user's."""

    name = "logs"
    icon_uri = ""

    def get_link(self, run_name: str, **more: Any) -> str:
        return f"https://logs/{run_name}"


@dataclasses.dataclass
class Cluster:
    """Configuration of a plugin that is registered."""

    workers: int = 2


@dataclasses.dataclass
class Pool:
    """Configuration of a plugin that works in a reusable environment."""


class Unknown:
    """Configuration of no plugin."""


class Warned(logging.Handler):
    """Counts what is logged as a warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def names_of(package: str) -> dict[str, Any]:
    """What snippets see."""
    flyte = importlib.import_module(package)
    extend = importlib.import_module(f"{package}.extend")
    errors = importlib.import_module(f"{package}.errors")
    names = {name: getattr(flyte, name) for name in dir(flyte) if not name.startswith("_")}
    count = iter(range(10**6))

    def env(**settings: Any) -> Any:
        return flyte.TaskEnvironment(f"e{next(count)}", **settings)

    def task(func: Any = coro, **settings: Any) -> Any:
        return env().task(**settings)(func)

    @dataclasses.dataclass(kw_only=True)
    class ClusterTask(extend.AsyncFunctionTaskTemplate):
        plugin_config: Cluster
        task_type: str = "cluster"

        async def pre(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {"workers": self.plugin_config.workers}

    @dataclasses.dataclass(kw_only=True)
    class PoolTask(extend.AsyncFunctionTaskTemplate):
        plugin_config: Pool
        supports_reuse_policy = True

    extend.TaskPluginRegistry.register(Cluster, ClusterTask)
    extend.TaskPluginRegistry.register(Pool, PoolTask)
    helpers = (sync, coro, Policy, MyLink, Cluster, Pool, Unknown, env, task, ClusterTask, PoolTask)
    return {
        **names,
        **{helper.__name__: helper for helper in helpers},
        "flyte": flyte,
        "extend": extend,
        "errors": errors,
        "k8s": importlib.import_module("kubernetes.client"),
        "timedelta": datetime.timedelta,
        "datetime": datetime.datetime,
        "math": math,
        "os": os,
        "sys": sys,
        "Path": Path,
    }


def shown(value: Any) -> Any:
    """A value as JSON, such that equal ones of the two packages look the same."""
    if isinstance(value, PurePath):
        return f"Path({str(value)!r})"
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(shown, value)]
    if isinstance(value, (set, frozenset)):
        return ["set", *sorted(map(shown, value), key=repr)]
    if isinstance(value, dict):
        return {"dict": [[shown(key), shown(item)] for key, item in value.items()]}
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, FunctionType):
        return f"<function {value.__name__}>"
    if hasattr(value, "forward") or hasattr(value, "add_dependency"):
        return f"<{'task' if hasattr(value, 'forward') else 'environment'} {value.name}>"
    if dataclasses.is_dataclass(value):
        fields = [f.name for f in dataclasses.fields(value) if not f.name.startswith("_")]
        return {"type": type(value).__name__, **{name: shown(getattr(value, name)) for name in fields}}
    if hasattr(value, "openapi_types"):  # a model of the client of Kubernetes
        given = {name: getattr(value, name) for name in value.openapi_types}
        return {"type": type(value).__name__, **{k: shown(v) for k, v in given.items() if v is not None}}
    if isinstance(value, (int, float, str, bytes, type(None), datetime.date, datetime.timedelta)):
        return repr(value)
    return f"<{type(value).__name__}>"


def evaluate(code: str, names: dict[str, Any]) -> Any:
    """The value of the last expression; None when the last statement is none."""
    body = ast.parse(code).body
    last = body[-1]
    if not isinstance(last, ast.Expr):
        exec(code, names)
        return None
    exec(compile(ast.Module(body[:-1], []), "<snippet>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<snippet>", "eval"), names)


def outcome(code: str, names: dict[str, Any], logged: Warned) -> dict[str, Any]:
    """What a snippet comes to: a value or an error, and whether it warned."""
    logged.count = 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = {"value": shown(evaluate(code, dict(names)))}
        except Exception as error:
            classes = [cls.__name__ for cls in type(error).__mro__ if cls not in (Exception, BaseException, object)]
            found = {"error": classes, "message": str(error)}
    about_us = [w for w in caught if not issubclass(w.category, (DeprecationWarning, ResourceWarning, RuntimeWarning))]
    return {**found, "warned": bool(about_us or logged.count)}


@contextmanager
def folder() -> Iterator[None]:
    """A working directory with files to name."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        for name, text in FILES.items():
            path = Path(made, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        os.chdir(made)
        yield
        os.chdir(before)


def main(package: str) -> None:
    """Read snippets, write outcomes."""
    names = names_of(package)
    logged = Warned()
    for name in [*logging.root.manager.loggerDict, "flyte", "flyte.user"]:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers[:] = [logged]
    with folder():
        outcomes = [outcome(code, names, logged) for code in json.load(sys.stdin)]
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
