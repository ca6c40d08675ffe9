"""Trigger: what starts a task by itself.  Source of names and rules: Flyte 2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar, TypeAlias

from ...errors import ConfigError, ConfigTypeError
from ..accept import boolean, optional, text, texts
from ..field import edited
from ..refusal import did_you_mean, nearest_number, raise_all, whole, wrong_type, wrong_value
from . import cron
from .documentation import shorten
from .envvars import env_vars_of
from .frozen import FrozenDict
from .value import Value

_PAIRS = edited("pairs", examples=({"NAME": "value"},))
_AUTOMATION = edited("fields", of=("trigger.Cron", "trigger.FixedRate", "trigger.OnArtifact"))


def time_zones() -> list[str]:
    """The names of time zones."""
    import zoneinfo

    return sorted(zoneinfo.available_timezones() | {"UTC"})


class _Marker:
    """A value that stands for something known only when a trigger fires."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name  # one object per process: compared by identity

    def to_json(self) -> dict[str, str]:
        """Its name, as plain data."""
        return {"type": self._name}


TriggerTime = _Marker("TriggerTime")
"""As an input of a trigger: when it fires (UTC)."""

TriggeredArtifact = _Marker("TriggeredArtifact")
"""As an input of a trigger on an artifact: the artifact."""


@dataclass(frozen=True, repr=False)
class TriggeredPartition(Value):
    """As an input of a trigger on an artifact: the value of one of its partitions.

    Attributes:
        key: the name of the partition.
    """

    key: str = field(metadata=edited("text"))

    def __post_init__(self) -> None:
        raise_all(self._canonical(key=text("TriggeredPartition.key", empty=False)))


@dataclass(frozen=True, repr=False)
class Cron(Value):
    """At the times of a cron expression.

    Attributes:
        expression: minute, hour, day of month, month, day of week.
        timezone: an IANA name, such as "Europe/Berlin".

    Raises:
        ConfigValueError: not five fields, a value out of its range, or an unknown time zone.
    """

    expression: str = field(metadata=edited("text", examples=("0 6 * * 1-5",)))
    timezone: str = field(default="UTC", metadata=edited("choice", choices=time_zones, examples=("Europe/Berlin",)))

    def __post_init__(self) -> None:
        raise_all(self._canonical(expression=_expression, timezone=_timezone))

    @property
    def timezone_expression(self) -> str:
        """The expression with its time zone in front."""
        return f"CRON_TZ={self.timezone} {self.expression}"


@dataclass(frozen=True, repr=False)
class FixedRate(Value):
    """Every so many minutes.

    Attributes:
        interval_minutes: 1 or more.
        start_time: when to begin; None for when it is activated.

    Raises:
        ConfigValueError: the interval is not an int of 1 or more. ConfigTypeError: the start is not a datetime.
    """

    interval_minutes: int = field(metadata=edited("number", unit="minutes", least=1, examples=(60,)))
    start_time: datetime | None = field(default=None, metadata=edited("moment"))

    def __post_init__(self) -> None:
        raise_all(self._canonical(interval_minutes=_interval, start_time=optional(_start)))


@dataclass(frozen=True, init=False, repr=False)
class OnArtifact(Value):
    """When an artifact appears.

    Attributes:
        name: the artifact's name.
        version: that version alone.
        partitions: with these values of its partitions; may be given as keywords too.

    Raises:
        ConfigTypeError: a value is not a str. ConfigValueError: the name is empty.
    """

    takes_any_name: ClassVar[bool] = True

    name: str = field(metadata=edited("text"))
    version: str | None = field(metadata=edited("text"))
    partitions: Mapping[str, str] | None = field(metadata=_PAIRS)

    def __init__(
        self,
        name: str,
        version: str | None = None,
        partitions: Mapping[str, str] | None = None,
        **partition_kwargs: str,
    ) -> None:
        every: Any = partitions or {}
        if isinstance(every, Mapping):  # else it is refused below
            every = {**every, **partition_kwargs} or None
        given = {"name": name, "version": version, "partitions": every}
        for key, value in given.items():
            object.__setattr__(self, key, value)
        raise_all(
            self._canonical(
                name=text("OnArtifact.name", empty=False),
                version=optional(text("OnArtifact.version")),
                partitions=optional(texts("OnArtifact.partitions")),
            )
        )


Automation: TypeAlias = "Cron | FixedRate | OnArtifact"


def automation_of(data: Mapping[str, Any] | None) -> Automation | None:
    """An automation of what `plain` made of it."""
    if data is None:
        return None
    given = dict(data)
    kind = {"Cron": Cron, "FixedRate": FixedRate, "OnArtifact": OnArtifact}[given.pop("type")]
    if isinstance(start := given.get("start_time"), str):
        given["start_time"] = datetime.fromisoformat(start)
    made: Automation = kind(**given)
    return made


def inputs_at(inputs: Mapping[str, Any], at: float, convert: Callable[[str, Any], Any]) -> dict[str, Any]:
    """The inputs of a run, with the time of its trigger where `TriggerTime` stands.

    Args:
        at: seconds since the epoch.
        convert: what an input of that name makes of a value.
    """
    moment = datetime.fromtimestamp(at, timezone.utc)
    return {name: convert(name, moment) if value is TriggerTime else value for name, value in inputs.items()}


@dataclass(frozen=True, repr=False)
class Trigger(Value):
    """Starts runs of a task.

    Attributes:
        name: its name.
        automation: `Cron`, `FixedRate`, `OnArtifact`, or None to be fired on demand only.
        description: at most 255 characters; cut when longer.
        auto_activate: whether it is active as soon as it is deployed.
        inputs: inputs of the runs, over the task's defaults; may hold `TriggerTime` and the like.
        env_vars: environment variables of the runs, over the task's.
        interruptible: for the runs; None leaves it to the task.
        overwrite_cache: run and store, whatever is stored.
        queue: the queue of the runs.
        max_action_concurrency: actions at a time in one run; None or 0 for the platform's, else 2 or more.
        labels: labels of the runs.
        annotations: annotations of the runs.
        notifications: who is told.
        custom_context: context of the runs.

    Raises:
        ConfigValueError: an empty name, a concurrency of 1, or inputs that the automation cannot fill.
        ConfigTypeError: a value of a wrong type.
    """

    name: str = field(metadata=edited("text"))
    automation: Automation | None = field(default=None, metadata=_AUTOMATION)
    description: str = field(default="", metadata=edited("text"))
    auto_activate: bool = field(default=True, metadata=edited("switch"))
    inputs: Mapping[str, Any] | None = field(default=None, metadata=edited("code"))
    env_vars: Mapping[str, str] | None = field(default=None, metadata=_PAIRS)
    interruptible: bool | None = field(default=None, metadata=edited("switch"))
    overwrite_cache: bool = field(default=False, metadata=edited("switch"))
    queue: str | None = field(default=None, metadata=edited("text"))
    max_action_concurrency: int | None = field(default=None, metadata=edited("number", least=2, examples=(10,)))
    labels: Mapping[str, str] | None = field(default=None, metadata=_PAIRS)
    annotations: Mapping[str, str] | None = field(default=None, metadata=_PAIRS)
    notifications: Any = field(default=None, metadata=edited("code"))
    custom_context: Mapping[str, str] | None = field(default=None, metadata=_PAIRS)

    def __post_init__(self) -> None:
        what = f"Trigger {self.name!r}"
        problems = self._canonical(
            name=text("Trigger.name", empty=False),
            automation=optional(lambda value: _automation(f"{what}: automation", value)),
            description=lambda value: shorten(text(f"{what}: description")("" if value is None else value)),
            auto_activate=boolean(f"{what}: auto_activate"),
            inputs=optional(lambda value: _inputs(f"{what}: inputs", value)),
            env_vars=optional(lambda value: env_vars_of(value, f"{what}: env_vars")),
            interruptible=optional(boolean(f"{what}: interruptible")),
            overwrite_cache=boolean(f"{what}: overwrite_cache"),
            queue=optional(text(f"{what}: queue")),
            max_action_concurrency=optional(lambda value: _concurrency(f"{what}: max_action_concurrency", value)),
            labels=optional(texts(f"{what}: labels")),
            annotations=optional(texts(f"{what}: annotations")),
            custom_context=optional(texts(f"{what}: custom_context")),
        )
        if isinstance(self.inputs, dict) and isinstance(self.automation, (Cron, FixedRate, OnArtifact, type(None))):
            problems += self._unbound(f"{what}: inputs", self.inputs)
        raise_all(problems)

    def _unbound(self, what: str, inputs: dict[str, Any]) -> Iterator[ConfigError]:
        """The inputs that the automation cannot fill."""
        values = list(inputs.values())
        if any(value is TriggerTime for value in values) and not isinstance(self.automation, (Cron, FixedRate)):
            yield wrong_value(what, TriggerTime, "TriggerTime with Cron or FixedRate")
        artifacts = sum(value is TriggeredArtifact for value in values)
        partitions = any(isinstance(value, TriggeredPartition) for value in values)
        if (artifacts or partitions) and not isinstance(self.automation, OnArtifact):
            yield wrong_value(what, inputs, "TriggeredArtifact and TriggeredPartition with OnArtifact")
        if artifacts > 1:
            yield wrong_value(what, inputs, "TriggeredArtifact at most once")

    @classmethod
    def of(cls, value: Any) -> tuple[Trigger, ...]:
        """The triggers of one, or of an iterable.

        Raises:
            ConfigTypeError: something else is among them. ConfigValueError: two have one name.
        """
        is_several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
        triggers = tuple(value) if is_several else (value,)
        problems: list[ConfigError] = []
        names: set[str] = set()
        for trigger in triggers:
            if not isinstance(trigger, cls):
                problems.append(wrong_type("triggers", trigger, "a Trigger, or a list of these"))
            elif trigger.name in names:
                problems.append(wrong_value("triggers", trigger.name, "each name once"))
            else:
                names.add(trigger.name)
        raise_all(problems)
        return triggers

    @classmethod
    def minutely(cls, trigger_time_input_key: str | None = None, *, name: str = "minutely", **settings: Any) -> Trigger:
        """Every minute; the time goes to the input named first. `settings` are the attributes."""
        return cls._every("* * * * *", trigger_time_input_key, name, "every minute", settings)

    @classmethod
    def hourly(cls, trigger_time_input_key: str | None = None, *, name: str = "hourly", **settings: Any) -> Trigger:
        """At each full hour; the time goes to the input named first. `settings` are the attributes."""
        return cls._every("0 * * * *", trigger_time_input_key, name, "every hour", settings)

    @classmethod
    def daily(cls, trigger_time_input_key: str | None = None, *, name: str = "daily", **settings: Any) -> Trigger:
        """At midnight; the time goes to the input named first. `settings` are the attributes."""
        return cls._every("0 0 * * *", trigger_time_input_key, name, "every day at midnight", settings)

    @classmethod
    def weekly(cls, trigger_time_input_key: str | None = None, *, name: str = "weekly", **settings: Any) -> Trigger:
        """On Sunday at midnight; the time goes to the input named first. `settings` are the attributes."""
        return cls._every("0 0 * * 0", trigger_time_input_key, name, "every Sunday at midnight", settings)

    @classmethod
    def monthly(cls, trigger_time_input_key: str | None = None, *, name: str = "monthly", **settings: Any) -> Trigger:
        """On the first at midnight; the time goes to the input named first. `settings` are the attributes."""
        return cls._every("0 0 1 * *", trigger_time_input_key, name, "on the first of every month", settings)

    @classmethod
    def _every(cls, cron: str, key: str | None, name: str, description: str, settings: dict[str, Any]) -> Trigger:
        if "automation" in settings:
            raise ConfigTypeError(f"automation: it is {description} here\n  for another: Trigger(name, automation)")
        inputs = {} if key is None else {key: TriggerTime}
        inputs.update(settings.pop("inputs", None) or {})
        settings.setdefault("description", f"Fires {description}")
        return cls(name, Cron(cron), inputs=inputs, **settings)


def _expression(value: Any) -> str:
    cron.check(value)
    return str(value)


def _interval(value: Any) -> int:
    if not whole(value, 1):
        raise wrong_value("FixedRate.interval_minutes", value, "an int of 1 or more", nearest_number(value, 1))
    return int(value)


def _start(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise wrong_type("FixedRate.start_time", value, "a datetime")
    return value


def _automation(what: str, value: Any) -> Automation:
    if not isinstance(value, (Cron, FixedRate, OnArtifact)):
        hint = f"try Cron({value!r})" if isinstance(value, str) else ""
        raise wrong_type(what, value, "Cron, FixedRate, OnArtifact or None", hint)
    return value


def _inputs(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise wrong_type(what, value, "a dict of inputs by name")
    return FrozenDict(value)


def _concurrency(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(what, value, "None, 0, or an int of 2 or more")
    if value < 0 or value == 1:
        hint = "with 1 a parent would wait for its own children for ever"
        raise wrong_value(what, value, "None, 0, or an int of 2 or more", hint if value == 1 else "the nearest is 0")
    return value


def _timezone(name: Any) -> str:
    if name == "UTC":
        return "UTC"
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        hint = did_you_mean(str(name), zoneinfo.available_timezones())
        raise wrong_value("Cron.timezone", name, 'an IANA name such as "Europe/Berlin"', hint) from None
    return str(name)
