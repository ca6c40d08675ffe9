"""The law: what may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flyte_jupyter"
FILES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

LAYERS = [
    {"errors", "pods", "home", "context", "markup", "once", "vitals", "bars", "report"},
    {"config"},
    {"annotations", "scalars", "types", "interface", "task", "environment", "extend", "shown"},
    {"credentials"},
    {"container"},
    {"pack"},
    {"store"},
    {"host"},
    {"runners"},
    {"engine"},
    {
        "session",
        "sites",
        "mapping",
        "api",
        "cache",
        "clusters",
        "queues",
        "warm",
        "deployment",
        "doctor",
        "image_build",
        "secrets",
        "pod_manifest",
        "pruning",
    },
    {"notebook", "__main__"},
    {"server"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
ONLY_IN: dict[str, str | tuple[str, ...]] = {
    "cloudpickle": "pack/",
    "kubernetes": ("runners/kubernetes", "config/values/pod_spec"),
    "obstore": ("store/objects", "store/aws"),
    "ipywidgets": "notebook/panel",
    "sqlite3": "engine/journal",
    "IPython": "notebook/",
    "nbformat": "notebook/files/",
    "jupyter_server": "server/",
    "tornado": "server/",
}
FOLDERS = [
    ["config/values", "config/image"],
    ["host/machine", "host/process", "host/image", "host/pool"],
    ["host/process", "host/trigger"],
    ["notebook/cards", "notebook/cells", "notebook/files", "notebook/panel", "notebook/magics", "notebook/kernel"],
    [f"server/{name}" for name in ("shapes", "feed", "answers", "topics", "stream", "routes", "web", "extension")],
]
"""Folders and files within a layer, each of which imports nothing of those behind it."""
LAZY = {"__init__"}
"""The names of the package, each imported when it is first used."""


def imports(name: str) -> Iterator[tuple[str, int]]:
    """(absolute name of what a file imports, line), but for what is for type checkers alone."""
    tree = ast.parse(FILES[name].read_text())
    unseen = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    left_out = {id(n) for block in unseen for statement in block.body for n in ast.walk(statement)}
    here = ("flyte_jupyter", *name.split("/"))
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*here[: len(here) - node.level], node.module or ""] if node.level else [node.module or ""])
            yield from ((f"{base}.{alias.name}".replace("..", "."), node.lineno) for alias in node.names)


def layer(name: str) -> str:
    """The layer of a file or of an imported name below our package."""
    return name.replace("/", ".").split(".")[0]


@pytest.mark.parametrize("name", sorted(FILES.keys() - LAZY))
def test_imports_go_one_way(name: str) -> None:
    wrong = []
    for imported, line in imports(name):
        top, _, inner = imported.partition(".")
        if top == "flyte_jupyter" and layer(inner) in RANK and RANK[layer(inner)] > RANK[layer(name)]:
            wrong.append(f"{FILES[name]}:{line} imports {imported}")
        only = ONLY_IN.get(top)
        if only is not None and not name.startswith(only):
            wrong.append(f"{FILES[name]}:{line} imports {imported}, which only {only} may")
    assert [] == wrong


@pytest.mark.parametrize("folders", FOLDERS, ids="-".join)
def test_folders_within_a_layer_import_one_way(folders: list[str]) -> None:
    wrong = []
    for rank, folder in enumerate(folders):
        later = tuple(f"flyte_jupyter.{name.replace('/', '.')}." for name in folders[rank + 1 :])
        for name in (name for name in FILES if f"{name}/".startswith(f"{folder}/")):
            wrong += [f"{name}:{line} imports {what}" for what, line in imports(name) if what.startswith(later)]
    assert [] == wrong


def test_every_file_has_its_layer() -> None:
    assert set() == {layer(name) for name in FILES.keys() - LAZY} - RANK.keys()


def test_the_law_sees_what_it_forbids() -> None:
    """Of what is imported where, so that a mistake in this file would be noticed."""
    assert "flyte_jupyter.errors.HostError" in dict(imports("home"))
    assert "flyte_jupyter.host.client.connect" in dict(imports("runners/local"))
    assert "cloudpickle.cloudpickle" in dict(imports("pack/codec"))
    assert "flyte_jupyter.task.Task" not in dict(imports("context"))
    assert "flyte_jupyter.host.process.zygotes.Zygotes" in dict(imports("host/image/images"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_are_short_and_named_after_what_they_are(name: str) -> None:
    assert name.rpartition("/")[2] not in ("utils", "util", "helpers", "helper", "base", "common", "misc")
    assert 400 >= len(FILES[name].read_text().splitlines())


def test_the_import_costs_next_to_nothing() -> None:
    heavy = ("numpy", "pandas", "IPython", "cloudpickle", "psutil", "asyncio")
    program = f"import sys, flyte_jupyter; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "[]\n" == done.stdout
