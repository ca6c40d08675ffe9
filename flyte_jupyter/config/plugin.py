"""Plugins: hooks around a task's function, and which class of task a type of `plugin_config` stands for.

Source of the names and of their order: Flyte 2.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from .. import context
from ..errors import ConfigTypeError
from .refusal import raise_all, wrong_type, wrong_value


class Hooks:
    """What a plugin may do around a task's function, in its process: override `pre`, `execute` or `post`.

    A subclass may be a dataclass, as in Flyte: its fields with defaults, and `__post_init__`, are honoured; what makes,
    compares and shows it is the task's.

    Attributes:
        supports_reuse_policy: whether it may be used in a reusable environment.
        task_type: what a platform calls such tasks.
    """

    supports_reuse_policy: bool = False
    task_type: str = "python"

    async def pre(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """Called first, with the inputs; what it returns is `flyte.ctx().data` in the function and in `post`."""
        return {}

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run `pre`, the function and `post`, and return what the function returned.

        A function that is not async runs in a thread of its own.
        """
        data = await self.pre(*args, **kwargs)
        with context.having(data):
            value = await self._call(args, kwargs)
            await self.post(value)
        return value

    async def post(self, return_vals: Any) -> Any:
        """Called last, with what the function returned; what it returns itself is not used."""
        return return_vals

    def config(self, sctx: Any) -> dict[str, str]:  # noqa: ARG002 - for subclasses
        """What a platform is told; nobody asks for it here."""
        return {}

    def custom_config(self, sctx: Any) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """What a platform is told; nobody asks for it here."""
        return {}

    def has_own(self, *hooks: str) -> bool:
        """Whether the plugin has overridden one of these."""
        return any(getattr(type(self), name) is not getattr(Hooks, name) for name in hooks)

    async def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _complete(self: Any) -> None:
        """Fill in the fields of a subclass that is a dataclass."""
        if dataclasses.is_dataclass(self):
            for f in dataclasses.fields(self):
                if f.default_factory is not dataclasses.MISSING:
                    setattr(self, f.name, f.default_factory())
                elif not hasattr(self, f.name):
                    raise ConfigTypeError(f"{type(self).__name__}.{f.name}: no value\n  give the field a default")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Override to compute attributes of the task; its settings are there already."""


class TaskPluginRegistry:
    """Classes of tasks by the type of their configuration, for this process."""

    _found: ClassVar[dict[type, type]] = {}

    @classmethod
    def register(cls, config_type: Any, plugin: Any) -> None:
        """Tasks with a `plugin_config` of this type become a `plugin`, a subclass of AsyncFunctionTaskTemplate.

        Raises:
            ConfigTypeError: one of them is not a class of that kind.
        """
        problems = []
        if not isinstance(config_type, type):
            problems.append(wrong_type("TaskPluginRegistry.register: config_type", config_type, "a class"))
        if not (isinstance(plugin, type) and issubclass(plugin, Hooks)):
            what = "TaskPluginRegistry.register: plugin"
            problems.append(wrong_type(what, plugin, "a subclass of flyte.extend.AsyncFunctionTaskTemplate"))
        raise_all(problems)
        cls._found[config_type] = plugin

    @classmethod
    def find(cls, config_type: type) -> type | None:
        """The class for a type of configuration; None when there is none."""
        return cls._found.get(config_type)

    @classmethod
    def list_plugins(cls) -> list[type]:
        """The types of configuration that are registered."""
        return list(cls._found)


def plugin_class(config: Any) -> type:
    """The class for a `plugin_config`. Raises ConfigValueError when none is registered."""
    found = TaskPluginRegistry.find(type(config))
    if found is None:
        known = ", ".join(t.__name__ for t in TaskPluginRegistry.list_plugins()) or "nothing is registered"
        hint = (
            f"call TaskPluginRegistry.register({type(config).__name__}, a_subclass_of_AsyncFunctionTaskTemplate) first"
        )
        raise wrong_value("plugin_config: No task plugin found", config, known, hint)
    return found


def works_reused(config: Any) -> bool:
    """Whether a `plugin_config` is for a plugin that says it works in a reusable environment."""
    found = TaskPluginRegistry.find(type(config))
    return found is not None and bool(getattr(found, "supports_reuse_policy", False))
