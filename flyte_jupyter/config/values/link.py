"""Link: a link to elsewhere, shown with a task's run."""

from __future__ import annotations

import inspect
from typing import Any, Protocol, runtime_checkable

from ...errors import ConfigError
from ..refusal import raise_all, wrong_type


@runtime_checkable
class Link(Protocol):
    """Anything with these members; no base class is needed.

    Attributes:
        name: the text of the link.
        icon_uri: where its icon is; None for none.
    """

    name: str
    icon_uri: str | None

    def get_link(
        self,
        run_name: str,
        project: str,
        domain: str,
        context: dict[str, str],
        parent_action_name: str,
        action_name: str,
        pod_name: str,
        **kwargs: Any,
    ) -> str:
        """The address, for one action of one run."""
        ...


def links_of(value: Any) -> tuple[Link, ...]:
    """The links of one link, a list or a tuple. Raises ConfigTypeError."""
    links = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    problems: list[ConfigError] = []
    for link in links:
        allowed = "an object with name, icon_uri and get_link(...), or a list of these"
        if not (hasattr(link, "name") and callable(getattr(link, "get_link", None))):
            problems.append(wrong_type("links", link, allowed))
        elif isinstance(link, type) and inspect.isfunction(inspect.getattr_static(link, "get_link")):
            problems.append(wrong_type("links", link, allowed, f"write {link.__name__}()"))
    raise_all(problems)
    return links
