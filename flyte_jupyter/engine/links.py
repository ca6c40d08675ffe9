"""The links of an action: what the user's `get_link` says for its real names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..pods import pod_name

if TYPE_CHECKING:
    from ..task import Task


def rendered(
    task: Task[..., object], *, run: str, action: str, parent: str | None, context: Mapping[str, str]
) -> tuple[dict[str, str], ...]:
    """Ask each link of a task for its address, on the caller's thread; an empty one is left out.

    An error in it is told in the address's place: a link is never worth a run.
    """
    made: list[dict[str, str]] = []
    for link in task.links:
        name = "link"
        try:
            name = str(link.name)
            uri = link.get_link(
                run_name=run,
                project="",
                domain="",
                context=dict(context),
                parent_action_name=parent or action,
                action_name=action,
                pod_name=pod_name(run, action),
            )
            if not isinstance(uri, str):
                raise TypeError(f"get_link gave {type(uri).__name__}, not a str")
        except Exception as error:
            made.append({"name": name, "problem": f"{type(error).__name__}: {error}"})
        else:
            made += [{"name": name, "uri": uri}] * bool(uri)
    return tuple(made)
