"""Plugins: which class of task a type of `plugin_config` stands for."""

from __future__ import annotations

from typing import Any, ClassVar

from .refusal import wrong_value


class TaskPluginRegistry:
    """Classes of tasks by the type of their configuration, for this process."""

    _found: ClassVar[dict[type, type]] = {}

    @classmethod
    def register(cls, config_type: type, plugin: type) -> None:
        """Tasks with a `plugin_config` of this type become a `plugin`, a subclass of Task."""
        cls._found[config_type] = plugin

    @classmethod
    def find(cls, config_type: type) -> type | None:
        """The class for a type of configuration; None when there is none."""
        return cls._found.get(config_type)


def plugin_class(config: Any) -> type:
    """The class for a `plugin_config`. Raises ConfigValueError when none is registered."""
    found = TaskPluginRegistry.find(type(config))
    if found is None:
        known = ", ".join(t.__name__ for t in TaskPluginRegistry._found) or "nothing is registered"
        hint = f"call TaskPluginRegistry.register({type(config).__name__}, a_subclass_of_Task) first"
        raise wrong_value("plugin_config: No task plugin found", config, known, hint)
    return found
