"""What can be done about a run, as lines of code to copy: what the buttons of a front end stand for.

Static HTML cannot act, and JupyterLab takes what could away from HTML of outputs.  So a card has the line for each
action; its JSON has the same under "commands", for a front end that makes buttons of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...config.values.quantity import format_bytes
from ...config.values.resources import Resources
from ...markup import Html, el, table
from ...runners.kubernetes.kubectl import kubectl
from . import timeline
from .parts import Action, View, children_of, last_failure, line_of_code, places, root_of

_MORE = 2
"""How many times the memory that an action gets that has run out of it."""


def commands_of(view: View) -> list[dict[str, str]]:
    """Each with its name, a label in a few words, and the code that does it."""
    run = view["run"]
    is_over = view["phase"] in timeline.TERMINAL
    found: list[dict[str, str]] = []

    def offer(name: str, label: str, code: str) -> None:
        found.append({"name": name, "label": label, "code": code})

    if not is_over:
        offer("cancel", "Cancel it", f"%flyte_cancel {run}")
    elif view["phase"] == "succeeded":
        offer("value", "Its value, in any notebook", f"flyte.attach({run!r})")
    if view["runs_again"] and (less := resources_of(root_of(view).get("instead"))) is not None:
        first = "" if is_over else f"flyte.get_run({run!r}).cancel(); "
        offer("resources", "Again with the most that there is", first + _again_with(run, less))
    if is_over and view["runs_again"]:
        if (more := more_memory(view)) is not None:
            offer("memory", "Again with more memory", _again_with(run, more))
        offer("rerun", "Again as it was", f"flyte.rerun({run!r})")
        offer("override", "Again with other parameters", f"flyte.rerun({run!r}, override={{'retries': 3}})")
        offer("panel", "In a form, where its task is defined", f"%flyte_override {view['task']}")
    if (shell := to_describe(view)) is not None:
        offer("kubectl", "What the cluster says of its pod", shell)
    if view["logs"]:
        offer("logs", "All that it printed", f"%flyte_logs {run}")
    return found


def commands(view: View, _now: float) -> Html | None:
    """The lines, in a box that is closed."""
    found = commands_of(view)
    if not found:
        return None
    rows = [(each["label"], line_of_code(each["code"])) for each in found]
    return el("details", el("summary", "In code"), table((), rows, title="Lines of code for this run", cls="fr-table"))


def again(view: View) -> Html | None:
    """What to do when memory has run out, or when it asks for more than there is."""
    line = next((each for each in commands_of(view) if each["name"] in ("memory", "resources")), None)
    if line is None:
        return None
    return el("div", el("span", line["label"], cls="fr-label"), " ", line_of_code(line["code"]), cls="fr-small")


def of_called(action: Action) -> Html | None:
    """For an action that a task has called, and that asks for more than there is: what the task is to call."""
    less = resources_of(action.get("instead"))
    if less is None:
        return None
    code = f"{action['title']}.override(resources=flyte.{less!r})"
    return el("div", el("span", "With the most that there is", cls="fr-label"), " ", line_of_code(code))


def to_describe(view: View) -> str | None:
    """What shows the pod of the first action as the cluster knows it; None when it is not known to have one."""
    found = dict(places(view))
    if found.keys() != {"cluster", "pod"}:
        return None
    return f"!{kubectl(found['cluster'], 'describe', 'pod', found['pod'])}"


def more_memory(view: View) -> Resources | None:
    """What the first action asked for, with twice the memory, when it has run out of it itself."""
    root = root_of(view)
    failed = last_failure(root)
    asked = view["asked"]
    if failed is None or failed["code"] != "OOMError" or asked.get("device") or asked.get("partition"):
        return None
    if any(found["code"] == "OOMError" for child in children_of(view) for found in child["failures"].values()):
        return None  # it was one of these, and each has settings of its own
    had = asked.get("memory_limit") or asked.get("memory") or root.get("peak_memory")
    mebibyte = 1 << 20
    if not had:
        return None
    return resources_of({**asked, "memory": -(-int(had) * _MORE // mebibyte) * mebibyte, "memory_limit": None})


def _again_with(run: str, resources: Resources) -> str:
    return f"flyte.rerun({run!r}, override={{'resources': flyte.{resources!r}}})"


def resources_of(asked: Mapping[str, Any] | None) -> Resources | None:
    """As they are written in Python; None for nothing, and for devices that have no short form."""
    if not asked or asked.get("device") or asked.get("partition"):
        return None
    cores = [int(n) if n == int(n) else n for key in ("cpu", "cpu_limit") if (n := asked.get(key)) is not None]
    memory = [format_bytes(int(n)) for key in ("memory", "memory_limit") if (n := asked.get(key)) is not None]
    gpu = asked.get("gpu")
    return Resources(
        cpu=(cores[0], cores[1]) if len(cores) > 1 else cores[0] if cores else None,
        memory=(memory[0], memory[1]) if len(memory) > 1 else memory[0] if memory else None,
        gpu=f"{asked['model']}:{gpu}" if asked.get("model") else gpu,
        disk=format_bytes(asked["disk"]) if asked.get("disk") else None,
        shm="auto" if (shm := asked.get("shm")) == 0 else shm and format_bytes(shm),
    )
