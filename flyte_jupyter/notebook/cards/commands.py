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
from . import timeline
from .parts import View, children_of, last_failure, line_of_code, root_of

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
    if view["runs_again"] and (less := what_there_is(view)) is not None:
        offer("resources", "Again with the most that there is", _again_with(run, less))
    if is_over and view["runs_again"]:
        if (more := more_memory(view)) is not None:
            offer("memory", "Again with more memory", _again_with(run, more))
        offer("rerun", "Again as it was", f"flyte.rerun({run!r})")
        offer("override", "Again with other parameters", f"flyte.rerun({run!r}, override={{'retries': 3}})")
        offer("panel", "In a form, where its task is defined", f"%flyte_override {view['task']}")
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
    return _resources({**asked, "memory": -(-int(had) * _MORE // mebibyte) * mebibyte}) if had else None


def what_there_is(view: View) -> Resources | None:
    """What the first action asked for, but no more than it can get, when it asks for more than there is."""
    asked, instead = view["asked"], root_of(view).get("instead")
    if not instead or asked.get("device") or asked.get("partition"):
        return None
    kept = {key: value for key, value in asked.items() if key != "cpu_limit" or "cpu" not in instead}
    return _resources({**kept, **instead})


def _again_with(run: str, resources: Resources) -> str:
    return f"flyte.rerun({run!r}, override={{'resources': flyte.{resources!r}}})"


def _resources(asked: Mapping[str, Any]) -> Resources:
    """Of `Requirements`, without a limit of the memory."""
    cores = [int(n) if n == int(n) else n for key in ("cpu", "cpu_limit") if (n := asked.get(key)) is not None]
    memory, disk, shm = (format_bytes(int(n)) if (n := asked.get(key)) else None for key in ("memory", "disk", "shm"))
    gpu = asked.get("gpu")
    return Resources(
        cpu=(cores[0], cores[1]) if len(cores) > 1 else cores[0] if cores else None,
        memory=memory,
        gpu=f"{asked['model']}:{gpu}" if asked.get("model") else gpu,
        disk=disk,
        shm=shm,
    )
