"""Writes what is made from something else: `python -m flyte_jupyter.config.generate [--check]`.

From the table these are `settings.py`, its static types, and `docs/parameters.md`; from the client of Kubernetes
`pod_spec.json`, the fields of pods.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import reference
from .signature import annotation
from .spec import ENV, OVERRIDE, PARAMS, TASK, Level, TaskSpec
from .values import pod_spec

SETTINGS = Path(__file__).with_name("settings.py")
PARAMETERS = Path(__file__).parents[2] / "docs" / "parameters.md"
CLIENT = "37"
"""The version of the client of Kubernetes that the fields of pods are made from."""

_HEADER = '''"""The static types of the parameters; made by `python -m flyte_jupyter.config.generate` from the table."""

from __future__ import annotations

'''
_SETTINGS = {ENV: "EnvironmentSettings", TASK: "TaskSettings", OVERRIDE: "OverrideSettings"}
_TITLES = {
    ENV: "What `TaskEnvironment(name, ...)` takes.",
    TASK: "What `@env.task(...)` takes.",
    OVERRIDE: "What `task.override(...)` takes.",
}
_MODULES = (
    "image.image",
    "values.cache",
    "values.dependency",
    "values.documentation",
    "values.link",
    "values.pod_template",
    "values.resources",
    "values.retry",
    "values.reuse",
    "values.secret",
    "values.timeout",
    "values.trigger",
)
"""Where the value types are; what is imported is found by the names in the annotations."""


def source() -> str:
    """The text of `settings.py`."""
    body = "".join(_typed_dict(level) for level in _SETTINGS) + _attributes()
    return _HEADER + _imports(body) + body


def _typed_dict(level: Level) -> str:
    lines = [f'\n\nclass {_SETTINGS[level]}(TypedDict, total=False):\n    """{_TITLES[level]}"""\n']
    for name, p in PARAMS.items():
        if p.levels & level and name != "name":
            lines.append(f"\n    {name}: {annotation(level, p)}\n    {_doc(p.doc)}\n")
    return "".join(lines)


def _attributes() -> str:
    of_env = [
        f"\n    {name}: {'Any' if name == 'plugin_config' else annotation(ENV, p)}\n    {_doc(p.doc)}\n"
        for name, p in PARAMS.items()
        if p.levels & ENV and name not in ("name", "depends_on")
    ]
    of_task = [f"\n    {name}: {_own(name)}\n    {_doc(p.doc)}\n" for name, p in PARAMS.items() if name != "name"]
    return (
        '\n\nclass EnvironmentAttributes:\n    """The parameters that an environment has as attributes."""\n'
        + "".join(of_env)
        + '\n\nclass TaskAttributes:\n    """The parameters that a task has as attributes; not to be set."""\n'
        + "".join(of_task)
    )


def _own(name: str) -> str:
    """The annotation of a field, in the quotes that the formatter likes."""
    return str(TaskSpec.__annotations__[name]).replace("'", '"')


def _doc(text: str) -> str:
    return f'"""{text}"""' if not text.endswith('"') else f"'''{text}'''"


def _imports(body: str) -> str:
    used = set(re.findall(r"\b[A-Z]\w+\b", re.sub(r'""".*?"""', "", body)))
    lines = [
        "from collections.abc import Sequence\n" if "Sequence" in used else "",
        "from datetime import timedelta\n",
        "from typing import " + ", ".join(sorted({"Any", "Literal", "TypedDict"} & used)) + "\n",
        "\n",
    ]
    for module in _MODULES:
        found = importlib.import_module(f".{module}", __package__)
        here = [
            name for name in sorted(used) if getattr(getattr(found, name, None), "__module__", "") == found.__name__
        ]
        if here:
            lines.append(f"from .{module} import {', '.join(here)}\n")
    return "".join(lines)


def pod_fields() -> str:
    """The text of `pod_spec.json`: what the client knows, or what is there already when another client is installed."""
    found = pod_spec.client()
    if found is None or found.__version__.partition(".")[0] != CLIENT:
        return pod_spec.FIELDS.read_text()
    kinds = (f"{json.dumps(kind)}: {json.dumps(fields)}" for kind, fields in pod_spec.fields_of_client().items())
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def main(args: list[str]) -> int:
    """Write the files; with `--check` only say which are not what would be written (exit code 1 when one is not)."""
    return write(made(), "flyte_jupyter.config.generate", args)


def write(made: Mapping[Path, str], program: str, args: Sequence[str]) -> int:
    """The same for any files that a program of ours makes."""
    stale = [(path, text) for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        if "--check" in args:
            print(f"{path} is stale: run python -m {program}", file=sys.stderr)
        else:
            path.write_text(text, "utf-8")
    return 1 if stale and "--check" in args else 0


def made() -> dict[Path, str]:
    """The files and their text; the page only where the project's folder is."""
    docs = {PARAMETERS: reference.page()} if PARAMETERS.parent.is_dir() else {}
    return {SETTINGS: source(), pod_spec.FIELDS: pod_fields(), **docs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
