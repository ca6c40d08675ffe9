"""What `depends_on` takes."""

from __future__ import annotations

from typing import Any

from ..refusal import wrong_type


class Environment:
    """Base of everything that can be deployed and depended on; `TaskEnvironment` is one.

    Attributes:
        name: its name.
    """

    name: str

    def to_json(self) -> str:
        """Its name."""
        return self.name


def depends_on_of(value: Any) -> tuple[Environment, ...]:
    """The environments of a list or tuple; of two with one name the later. Raises ConfigTypeError."""
    if not isinstance(value, (list, tuple)):
        hint = "write depends_on=[env]" if isinstance(value, Environment) else ""
        raise wrong_type("depends_on", value, "a list of environments", hint)
    for item in value:
        if not isinstance(item, Environment):
            hint = f"pass the environment, not its name {item!r}" if isinstance(item, str) else ""
            raise wrong_type("depends_on", item, "a list of environments", hint)
    return tuple({item.name: item for item in value}.values())
