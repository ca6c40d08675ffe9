"""What is installed where this notebook runs, as requirements: what `Image.from_notebook()` writes down."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from typing import Any

from .index_url import hide

_THERE_ANYWAY = frozenset({"pip", "flyte-jupyter"})


def requirements(found: Iterable[Distribution] | None = None) -> tuple[list[str], list[str]]:
    """Requirements with exact versions, in the order of their names; and what is not quite the same, in words.

    Args:
        found: the distributions; by default those of this process, of which the first of a name is the one that counts.
    """
    by_name = _by_name(found)
    lines: list[str] = []
    differences: list[str] = []
    for name in sorted(by_name.keys() - _THERE_ANYWAY):
        line, difference = _requirement(name, by_name[name])
        lines += [line] if line else []
        differences += [difference] if difference else []
    return lines, differences


def packages() -> str:
    """Which Python this is, and what is installed, in words."""
    lines, _ = requirements()
    count = f"{len(lines)} package{'s' if len(lines) != 1 else ''}"
    return f"Python {platform.python_version()} with {count}{': ' if lines else ''}{', '.join(lines)}"


def contradictions(found: Iterable[Distribution] | None = None) -> list[str]:
    """Which packages do not fit each other, in words; an installer that heeds them would refuse to install all."""
    from packaging.requirements import InvalidRequirement, Requirement

    known = _by_name(found)
    said = []
    for name, distribution in sorted(known.items()):
        for text in distribution.requires or ():
            try:
                wanted = Requirement(text)
            except InvalidRequirement:
                continue
            there = known.get(_normal(wanted.name))
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if there is not None and applies and not wanted.specifier.contains(there.version, prereleases=True):
                said.append(f"{name} wants {wanted.name}{wanted.specifier}, and {there.version} is installed")
    return said


def _by_name(found: Iterable[Distribution] | None) -> dict[str, Distribution]:
    by_name: dict[str, Distribution] = {}
    for distribution in distributions() if found is None else found:
        name = distribution.metadata["Name"]
        if name:  # what was removed by half has none
            by_name.setdefault(_normal(name), distribution)
    return by_name


def _requirement(name: str, distribution: Distribution) -> tuple[str, str]:
    """The line for one, and what is different about it; an empty line leaves it out."""
    origin = json.loads(distribution.read_text("direct_url.json") or "null")
    if origin is not None:
        line = _direct(name, origin)
        return line, "" if line else f"{name} is left out: it was installed from {_where(origin)}"
    version, _, local = distribution.version.partition("+")
    if local:
        return f"{name}=={version}", f"{name} is {version}, not {distribution.version}, which no public index has"
    return f"{name}=={version}", ""


def _direct(name: str, origin: dict[str, Any]) -> str:
    """The requirement for what was installed from a URL; "" for a place on this machine."""
    url = re.sub(r"://[^/@]*@(?=[^/])", "://", origin["url"]) if "://" in origin["url"] else origin["url"]
    if url.startswith("file:"):
        return ""
    below = f"#subdirectory={origin['subdirectory']}" if "subdirectory" in origin else ""
    vcs = origin.get("vcs_info")
    if vcs is not None:
        return f"{name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}{below}"
    return f"{name} @ {url}{below}"


def _where(origin: dict[str, Any]) -> str:
    kind = "an editable folder" if origin.get("dir_info", {}).get("editable") else "a folder or file"
    return f"{kind} of this machine, {hide(origin['url'])}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
