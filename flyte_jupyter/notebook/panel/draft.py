"""What a panel is about: one call of a task, the settings and inputs that were given, and its line of code. Pure."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import Any

from ...config.param import OVERRIDE
from ...config.spec import PARAMS, names
from ...environment import TaskEnvironment, environments
from ...errors import ConfigError, ConfigTypeError, ConfigValueError
from ...task import Task
from . import code, editors, hidden, inputs
from .code import OPEN, Names
from .editors import Raw

SETTINGS = names(OVERRIDE)
"""What a panel has a row for, in the order of the table."""


class Draft:
    """A call that is being written.

    Attributes:
        base: the task without its overrides; as it is, where a setting of these has no code.
        variables: those of the notebook, in which names are looked up.
        settings: what was given, by parameter, as it stands in the editors.
        inputs: likewise, by name of the input.
    """

    def __init__(
        self,
        task: Task[..., Any],
        variables: Mapping[str, Any],
        given: Mapping[str, str] | None = None,
        written: Mapping[str, str] | None = None,
    ) -> None:
        self.variables = variables
        self.base, layer = _parted(task)
        self.settings: dict[str, Raw] = {}
        try:
            for name, value in layer.items():
                self.settings[name] = editors.raw_of(name, value, Names(variables))
        except ConfigTypeError:
            self.base, self.settings = task, {}
        for name, source in (written or {}).items():
            if name in self.settings and not hidden.is_in_code(source):
                code_of = PARAMS[name].editor == "code"
                self.settings[name] = source if code_of else code.Code(source)
        declared = task.interface.inputs
        self.inputs: dict[str, inputs.Value] = {
            name: inputs.raw_of(declared[name], written, self.names) for name, written in (given or {}).items()
        }

    def __repr__(self) -> str:
        return f"<Draft {self.line()}>"

    @property
    def names(self) -> Names:
        """What things are called in the notebook."""
        return Names(self.variables)

    def become(self, other: Draft) -> None:
        """Say what another one says."""
        self.base, self.settings, self.inputs = other.base, other.settings, other.inputs

    def follow(self) -> bool:
        """Be about the task that the notebook has now, when its cell was run again; whether there is another one."""
        if self.names.of(lambda value: isinstance(value, Task) and value.func is self.base.func):
            return False
        newest = environments().get(self.base.parent_env_name)
        found = newest.tasks.get(self.base.name) if newest is not None else None
        if found is None or found.func is self.base.func:
            return False
        self.base = found
        self.inputs = {name: raw for name, raw in self.inputs.items() if name in found.interface.inputs}
        return True

    # --- settings

    def raw(self, name: str) -> Raw:
        """What stands in the editors of a parameter: what was given here, else what holds without."""
        if name in self.settings:
            return self.settings[name]
        value = getattr(self.base.spec, name)
        if value is None:
            return editors.empty(name)
        try:
            return editors.raw_of(name, value, self.names)
        except ConfigTypeError:
            return code.Code("")  # nothing to write: what holds without is said beside it

    def value(self, name: str) -> Any:
        """What was given, as `override` takes it. Raises a ConfigError."""
        return editors.setting(name, self.settings[name], self.variables)

    def problem(self, name: str) -> str:
        """What `override` would say of a setting that was given; "" when it is accepted."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if name in self.settings:
                    self.value(name)
        except ConfigError as e:
            return str(e)
        return ""

    def conflict(self) -> str:
        """What `override` would say of the settings together, of which each is accepted; "" when they fit."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.base.override(**{name: self.value(name) for name in self.settings if not self.problem(name)})
        except ConfigError as e:
            return str(e)
        return ""

    def is_locked(self, name: str) -> bool:
        """Whether a parameter is fixed, because the task is reusable."""
        return PARAMS[name].reuse_locked and self.base.spec.reusable is not None and "reusable" not in self.settings

    def task(self) -> Task[..., Any]:
        """The task with what was given. Raises the ConfigError of `override`."""
        values = {name: self.value(name) for name in self.settings}
        return self.base.override(**values) if values else self.base

    # --- inputs

    def input_problem(self, name: str) -> str:
        """What the call would say of an input; "" when it fits, or when its default holds."""
        declared = self.base.interface.inputs[name]
        if name not in self.inputs:
            return f"Missing required inputs: {name}" if declared.required else ""
        written = inputs.expression(declared, self.inputs[name], self.names)
        return inputs.problem(self.base, name, written, self.variables)

    def call_inputs(self) -> dict[str, Any]:
        """The values of the inputs that were given. Raises a ConfigError for what is missing or does not fit."""
        declared = self.base.interface.inputs
        written = {name: inputs.expression(declared[name], raw, self.names) for name, raw in self.inputs.items()}
        values = {name: code.read(text, self.variables) for name, text in written.items()}
        self.base.interface.bind(self.base.name, (), values)
        return values

    # --- code

    def line(self) -> str:
        """`task.override(...)(...)`: the call, as it stands in a task; without what looks like a credential."""
        return code.call(self._overridden(), *self._arguments())

    def cell(self) -> str:
        """A cell that runs it, with the imports that it needs."""
        args, kwargs = self._arguments()
        run = code.call(f"{self.names.package()}.run", [self._overridden(), *args], kwargs)
        return "\n".join([*code.imports(run, self.variables), run])

    def _overridden(self) -> str:
        given = {name: self._written(name, raw) for name, raw in self.settings.items()}
        ordered = {name: given[name] for name in SETTINGS if name in given}
        called = task_name(self.base, self.names)
        return code.call(f"{called}.override", (), ordered) if ordered else called

    def _written(self, name: str, raw: Raw) -> str:
        """A setting as code; what is not accepted (yet) stands there as what it is."""
        source = raw.text if isinstance(raw, code.Code) else str(raw) if PARAMS[name].editor == "code" else ""
        if isinstance(raw, code.Code) and not hidden.is_in_code(source):
            return source.strip() or OPEN
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = editors.setting(name, raw, self.variables)
                if source and not hidden.is_in_code(source):
                    return source.strip()
                return editors.expression(name, PARAMS[name].accept(value), self.names)
        except ConfigError:
            return OPEN

    def _arguments(self) -> tuple[list[str], dict[str, str]]:
        args: list[str] = []
        kwargs: dict[str, str] = {}
        for name, declared in self.base.interface.inputs.items():
            if name in self.inputs:
                written = inputs.expression(declared, self.inputs[name], self.names) or OPEN
            elif declared.required:
                written = OPEN
            else:
                continue
            if declared.kind is declared.kind.POSITIONAL_ONLY:
                args.append(written)
            else:
                kwargs[name] = written
        return args, kwargs


def task_name(task: Task[..., Any], names: Names) -> str:
    """How the notebook gets at a task: its variable, else where its environment keeps it."""
    if own := names.of(lambda value: value is task) or names.of(lambda value: _is_same(value, task)):
        return own
    if owner := names.of(lambda value: isinstance(value, TaskEnvironment) and _is_kept(task, value)):
        return f"{owner}.tasks[{code.text(task.name)}]"
    env = environments().get(task.parent_env_name)
    if env is not None and _is_kept(task, env):
        return f"{names.package()}.environment.environments()[{code.text(env.name)}].tasks[{code.text(task.name)}]"
    return task.func.__name__


def _is_same(value: Any, task: Task[..., Any]) -> bool:
    return isinstance(value, Task) and value.func is task.func and value.layers == task.layers


def _is_kept(task: Task[..., Any], env: TaskEnvironment) -> bool:
    return _is_same(env.tasks.get(task.name), task)


def _parted(task: Task[..., Any]) -> tuple[Task[..., Any], dict[str, Any]]:
    """A task without its overrides, and what these have given, the later winning."""
    below = tuple((level, layer) for level, layer in task.layers if level is not OVERRIDE)
    given: dict[str, Any] = {}
    for level, layer in task.layers:
        if level is OVERRIDE:
            given.update(layer)
    if not given:
        return task, {}
    if "plugin_config" in given:
        return task, {}  # its class is the plugin's
    kind = type(task)
    base = kind(task.func, name=task.name, interface=task.interface, layers=below, parent_env=task.parent_env)
    return base, given


# --- from code --------------------------------------------------------------------------------------------------------


def draft_of(source: str, variables: Mapping[str, Any]) -> Draft:
    """The draft of a task's name, of a line `task.override(...)(...)`, or of a cell that runs it.

    Raises:
        ConfigValueError: it is nothing like that. ConfigError: what its values say.
    """
    try:
        body = ast.parse(source.strip()).body
    except (SyntaxError, ValueError) as e:
        raise ConfigValueError(f"{source}: not Python: {getattr(e, 'msg', e)}\n  allowed: {_ALLOWED}") from None
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr):
        raise ConfigValueError(f"{source or 'nothing'}: names no task\n  allowed: {_ALLOWED}")
    task, inputs_ = _called(last.value, variables, source.strip())
    return Draft(task, variables, inputs_, _written(last.value, variables, source.strip()))


_ALLOWED = "a task, task.override(...), or a call of one of these"


def _called(node: ast.expr, variables: Mapping[str, Any], source: str) -> tuple[Task[..., Any], dict[str, str]]:
    """The task of a call, and its inputs as code."""
    if isinstance(node, ast.Await):
        return _called(node.value, variables, source)
    if isinstance(node, ast.Call) and not _is_override(node):
        args = list(node.args)
        is_run = isinstance(node.func, ast.Attribute) and node.func.attr in ("run", "submit") and bool(args)
        task = _task(args.pop(0) if is_run else node.func, variables)
        return task, _inputs(task, args, node.keywords, source)
    return _task(node, variables), {}


def _is_override(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "override"


def _written(node: ast.expr, variables: Mapping[str, Any], source: str) -> dict[str, str]:
    """The settings of a line whose code says more than their value: those with names of the user, and plain Python."""
    found: dict[str, str] = {}
    for call in ast.walk(node):
        for keyword in call.keywords if isinstance(call, ast.Call) and _is_override(call) else ():
            name = keyword.arg or ""
            is_code = name in PARAMS and PARAMS[name].editor == "code"
            if name not in found and (is_code or code.own_names(keyword.value, variables)):
                found[name] = ast.get_source_segment(source, keyword.value) or ast.unparse(keyword.value)
    return found


def _task(node: ast.expr, variables: Mapping[str, Any]) -> Task[..., Any]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_override(node):
        settings = {k.arg: code.value_of(k.value, variables) for k in node.keywords if k.arg}
        return _task(node.func.value, variables).override(**settings)
    try:
        found = code.value_of(node, variables)
    except ConfigError:
        if (named := declared_task(ast.unparse(node))) is None:
            raise
        return named
    if not isinstance(found, Task):
        raise ConfigTypeError(f"{ast.unparse(node)}: is no task\n  allowed: {_ALLOWED}")
    return found


def declared_task(name: str) -> Task[..., Any] | None:
    """The task that an environment has by its full name, or that of its function, though no variable has it."""
    declared = [task for env in environments().values() for task in env.tasks.values()]
    named = [task for task in declared if task.name == name] or [t for t in declared if t.func.__name__ == name]
    return named[-1] if named else None


def _inputs(task: Task[..., Any], args: list[ast.expr], keywords: list[ast.keyword], source: str) -> dict[str, str]:
    declared = list(task.interface.inputs)
    given = dict(zip(declared, args, strict=False)) | {k.arg: k.value for k in keywords if k.arg}
    written = {name: ast.get_source_segment(source, node) or ast.unparse(node) for name, node in given.items()}
    unknown = [name for name in written if name not in declared]
    if unknown or len(args) > len(declared):
        task.interface.bind(task.name, args, {k.arg: None for k in keywords if k.arg})  # says what is wrong
    return {name: text for name, text in written.items() if text != OPEN}
