"""A pod's specification as text: YAML, of which JSON is a part; JSON alone where there is no YAML.  Pure."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ConfigValueError


def loaded(source: str, what: str) -> Any:
    """What a text says. Raises ConfigValueError: it cannot be read."""
    try:
        import yaml
    except ImportError:
        try:
            return json.loads(source)
        except ValueError as e:
            raise ConfigValueError(f"{what}: not JSON: {e}\n  for YAML: pip install pyyaml") from None
    try:
        return yaml.safe_load(source)
    except yaml.MarkedYAMLError as e:
        at = f"line {e.problem_mark.line + 1}, column {e.problem_mark.column + 1}: " if e.problem_mark else ""
        context = f" ({e.context})" if e.context else ""
        raise ConfigValueError(f"{what}: not YAML: {at}{e.problem}{context}") from None
    except yaml.YAMLError as e:
        raise ConfigValueError(f"{what}: not YAML: {' '.join(str(e).split())}") from None


def written(spec: Any) -> str:
    """The text of plain data."""
    try:
        import yaml
    except ImportError:
        return json.dumps(spec, indent=2)
    return str(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True))
