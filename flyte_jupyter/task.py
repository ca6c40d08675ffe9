"""Task: a function with its configuration.

A task never changes.  It holds layers, what was given at each level; the resolved `spec` is made when first asked for,
so that declaring and overriding cost next to nothing.  Calling a task outside a run calls its function; inside a
running task it starts an action of its own, through `context.caller`.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Coroutine
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

from . import context
from .config.plugin import Hooks, plugin_class
from .config.resolve import Resolved, check, resolve
from .config.rules import Layers, value_in
from .config.signature import positional, sign
from .config.spec import OVERRIDE, PARAMS, TaskSpec
from .errors import ConfigTypeError, SyncTaskCallInAsyncContextError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .config.effective import EffectiveConfig
    from .config.settings import OverrideSettings, TaskAttributes
    from .environment import TaskEnvironment
    from .interface import Interface
    from .pod_manifest import PodManifest
else:

    class TaskAttributes:
        """Made below, from the table."""


P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class Task(TaskAttributes, Hooks, Generic[P, R_co]):
    """A function that runs as a task; made by `@env.task`.

    Every parameter of the table is an attribute with its resolved value: `task.retries`, `task.resources`, ...
    Tasks compare by identity.

    Attributes:
        func: the function.
        name: "<environment>.<function>"; an override keeps it.
        interface: its typed inputs and outputs.
        layers: what was given at each level, from environment to the last override.
        is_async: whether the function is `async def`.
        parent_env: a weak reference to the environment; None in another process than the declaring one.
    """

    func: Callable[P, R_co]
    name: str
    interface: Interface
    layers: Layers
    is_async: bool
    parent_env: weakref.ref[TaskEnvironment] | None

    def __init__(
        self,
        func: Callable[P, R_co],
        *,
        name: str,
        interface: Interface,
        layers: Layers,
        parent_env: weakref.ref[TaskEnvironment] | None = None,
    ) -> None:
        self._set(func, name, interface, layers, parent_env)
        self._complete()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep what makes, compares and shows a task, also when the subclass is a dataclass, as Flyte's plugins are."""
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            raise ConfigTypeError(f"{cls.__name__}: a plugin has no __init__ of its own\n  write __post_init__ instead")
        for name in ("__init__", "__eq__", "__hash__", "__repr__"):
            if name not in vars(cls):  # before @dataclass would make it
                setattr(cls, name, getattr(cls, name))

    def _set(
        self,
        func: Callable[P, R_co],
        name: str,
        interface: Interface,
        layers: Layers,
        parent_env: weakref.ref[TaskEnvironment] | None,
    ) -> None:
        functools.update_wrapper(self, func, updated=())  # its signature and docs are seen by `?`, help and inspect
        self.func = func
        self.name = name
        self.interface = interface
        self.layers = layers
        self.is_async = inspect.iscoroutinefunction(func)
        self.parent_env = parent_env

    # --- configuration

    def override(self, **settings: Unpack[OverrideSettings]) -> Task[P, R_co]:
        """A new task with some settings replaced; this one stays as it is.

        Values are replaced whole.  None is "not given"; `0`, `{}`, `[]`, `False` count; `""` and `reusable="off"` take
        away what a level below gave.  While the task is reusable, resources, env_vars, secrets and service_account need
        `reusable="off"` in the same call.

        Raises:
            ConfigTypeError: a name that cannot be overridden, or a value of a wrong type.
            ConfigValueError: a value that is not accepted; name, image, docs and interface, as in Flyte.
        """
        layer = check(OVERRIDE, settings, self.layers, self.func)
        layers = (*self.layers, (OVERRIDE, layer))
        cls: type[Task[P, R_co]] = type(self)
        if "plugin_config" in layer:
            cls = cast("type[Task[P, R_co]]", task_class(layers))
        return cls(self.func, name=self.name, interface=self.interface, layers=layers, parent_env=self.parent_env)

    @property
    def _resolved(self) -> Resolved:
        found: Resolved | None = self.__dict__.get("_resolution")
        if found is None:
            found = resolve(self.layers, short_name=self.func.__name__)
            self.__dict__["_resolution"] = found
        return found

    @property
    def spec(self) -> TaskSpec:
        """The configuration, resolved: override beats decorator beats environment."""
        return self._resolved.spec

    def effective_config(self) -> EffectiveConfig:
        """Every value with the level that it came from: `.value(name)`, `.level(name)`, and a table when shown."""
        from .config.effective import EffectiveConfig

        shown = "" if self.short_name == self.func.__name__ else f" ({self.short_name})"
        return EffectiveConfig(self.name + shown, self._resolved)

    def panel(self) -> None:
        """Open the override panel in a notebook: a form for one call, and the line of code that it stands for."""
        from . import _panel

        _panel(self)

    def pod_manifest(self, *, validate: bool = False) -> PodManifest:
        """What the cluster would be asked for when this task is run there, as YAML; its `job` is the same as data.

        Args:
            validate: have the cluster check it as if it were created, and raise what it says; else nobody is asked.

        Raises:
            ConfigError: no cluster can do it, or this one refuses it.
        """
        from . import _pod_manifest

        made: PodManifest = _pod_manifest(self, validate=validate)
        return made

    def getdoc(self) -> str:
        """What `task?` shows (IPython asks for it)."""
        from .config.about import about

        return about(self.effective_config(), self.name, self.func)

    @property
    def parent_env_name(self) -> str:
        """The name of the environment."""
        owner = self.parent_env() if self.parent_env is not None else None
        return owner.name if owner is not None else self.name.rpartition(".")[0]

    # --- calling

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function; inside a running task, start it as an action of its own and return what it returns.

        Raises:
            SyncTaskCallInAsyncContextError: inside a running task, the function is not async but an event loop runs in
                this thread; use `await task.aio(...)`.
        """
        caller = context.caller()
        if caller is None:
            return self.forward(*args, **kwargs)
        if self.is_async:
            return cast("R_co", _started(caller, self, args, kwargs))
        if _loop_runs():
            raise SyncTaskCallInAsyncContextError(
                f"{self.name}: not async, and called inside a running event loop, which it would block\n"
                f"  write: await {self.func.__name__}.aio(...)"
            )
        return cast("R_co", caller.start(self, args, kwargs).value())

    @overload
    def aio(self: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]: ...
    @overload
    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...
    def aio(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """As a call, and always awaitable; outside a run a function that is not async runs in a thread."""
        caller = context.caller()
        if caller is not None:
            return _started(caller, self, args, kwargs)
        if self.is_async:
            return cast("Coroutine[Any, Any, Any]", self.func(*args, **kwargs))
        return _in_thread(self.func, args, kwargs)

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself, wherever we are."""
        return self.func(*args, **kwargs)

    async def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # as they were declared: a positional-only input has come by name
        called: Any = functools.partial(self.interface.call_with, self.func, kwargs)
        if args:
            called = functools.partial(self.func, *args, **kwargs)
        return await called() if self.is_async else await _in_thread(called, (), {})

    def __get__(self, instance: object, owner: type | None = None) -> Task[P, R_co]:
        """A task kept in a class is called as a static method is; and help() takes it for the function that it is."""
        return self

    # --- travelling and showing

    def __reduce__(self) -> tuple[Any, ...]:
        # Made blank and filled later: a recursive task's globals hold the task itself.
        return _blank, (type(self),), self._state()

    def _state(self) -> dict[str, Any]:
        layers = tuple(
            (level, {name: value for name, value in layer.items() if PARAMS[name].travels})
            for level, layer in self.layers
        )
        more = {key: value for key, value in vars(self).items() if key not in _OWN and key[:2] != "__"}
        return {"func": self.func, "name": self.name, "interface": self.interface, "layers": layers, "more": more}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(state["func"], state["name"], state["interface"], state["layers"], None)
        vars(self).update(state["more"])

    def __repr__(self) -> str:
        func = self.__dict__.get("func")
        if func is None:
            return "<Task, not yet loaded>"
        overrides = sum(level is OVERRIDE for level, _ in self.layers)
        return f"<Task {self.name}{inspect.signature(func)}{f' overridden {overrides}x' if overrides else ''}>"

    def _repr_html_(self) -> str:
        from .shown import task

        return task(self)


_OWN = frozenset({"func", "name", "interface", "layers", "is_async", "parent_env", "_resolution"})
"""What is in a task beside the attributes that a plugin has added."""


def _blank(cls: type[Task[..., Any]]) -> Task[..., Any]:
    return cls.__new__(cls)


def task_class(layers: Layers) -> type[Task[..., Any]]:
    """The class of a task with these layers: the plugin's when there is a `plugin_config`.

    Raises:
        ConfigValueError: no plugin is registered for it.
    """
    config = value_in(layers, "plugin_config")
    if config is None:
        return Task
    return cast("type[Task[..., Any]]", plugin_class(config))


async def _started(caller: context.Caller, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return await caller.start(task, args, kwargs).avalue()


async def _in_thread(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    import asyncio

    return await asyncio.to_thread(func, *args, **kwargs)


def _loop_runs() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _add_attributes() -> None:
    """Every parameter but `name`, which is the task's own, is a read-only attribute."""
    for name, p in PARAMS.items():
        if name != "name":
            setattr(Task, name, property(attrgetter(f"spec.{name}"), doc=p.doc))


_add_attributes()
sign(Task.override, [positional("self")], OVERRIDE, "Task[P, R]")
