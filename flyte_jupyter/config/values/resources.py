"""Resources: CPU, memory, accelerators, disk and shared memory of one attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..field import edited
from ..refusal import did_you_mean, nearest_number, raise_all, whole, wrong_type, wrong_value
from .device import Device, current, models, parse_device
from .quantity import format_bytes, parse_bytes, parse_cores
from .value import Value

CPU: TypeAlias = "int | float | str"


_CORES = edited("quantity", unit="cores", least=0, is_pair=True, examples=(2, "500m", (1, 2)))
_MEMORY = edited("quantity", unit="bytes", least=0, is_pair=True, examples=("512Mi", ("1Gi", "2Gi")))
_GPU = edited(
    "choice", choices=models, is_open=True, least=0, examples=(1, "T4:1"), of=("device.Device",), codec="ACCELERATOR"
)
_DISK = edited("quantity", unit="bytes", least=0, examples=("10Gi",))
_SHM = edited("quantity", unit="bytes", least=0, choices=("auto",), is_open=True, examples=("1Gi",))


@dataclass(frozen=True, repr=False)
class Resources(Value):
    """What one attempt of a task is given; what is None is left to the platform.

    Values are kept as written, without spaces around them; the properties give them in cores and bytes.  Given alone a
    value is a request, as a tuple it is `(request, limit)`.  Source: Flyte 2 for the arguments,
    Kubernetes for quantities and meaning.

    Attributes:
        cpu: cores; two are request and limit.
        memory: a Kubernetes quantity; two are request and limit.
        gpu: how many accelerators, a type and how many, or a `Device` such as `GPU("A100", 1, "1g.5gb")`; 0 is none.
        disk: scratch space, a Kubernetes quantity.
        shm: size of /dev/shm, a Kubernetes quantity, or "auto" for as much as the memory allows.

    Raises:
        ConfigValueError: a value is not a quantity, negative, of another type, or a request above its limit; all that
            is wrong is in one error.
    """

    cpu: CPU | tuple[CPU, CPU] | None = field(default=None, metadata=_CORES)
    memory: str | tuple[str, str] | None = field(default=None, metadata=_MEMORY)
    gpu: int | str | Device | None = field(default=None, metadata=_GPU)
    disk: str | None = field(default=None, metadata=_DISK)
    shm: str | None = field(default=None, metadata=_SHM)

    def __post_init__(self) -> None:
        raise_all(self._canonical(cpu=_cpu, memory=_memory, gpu=_gpu, disk=_disk, shm=_shm))

    @classmethod
    def of(cls, value: Any) -> Resources:
        """`value` if it is Resources; a dict is refused, as in Flyte. Raises ConfigTypeError."""
        if isinstance(value, cls):
            return value
        hint = "write resources=Resources(**{...})" if isinstance(value, dict) else ""
        raise wrong_type("resources", value, 'Resources(cpu=..., memory="...", gpu=..., disk="...", shm="...")', hint)

    @property
    def cpu_request(self) -> float | None:
        """Cores that are asked for."""
        value = _end(self.cpu, 0)
        return None if value is None else parse_cores(value)

    @property
    def cpu_limit(self) -> float | None:
        """Cores that may be used at most; None unless `(request, limit)` was given."""
        return parse_cores(self.cpu[1]) if isinstance(self.cpu, tuple) else None

    @property
    def memory_request(self) -> int | None:
        """Bytes that are asked for."""
        value = _end(self.memory, 0)
        return None if value is None else parse_bytes(value)

    @property
    def memory_limit(self) -> int | None:
        """Bytes that may be used at most; None unless `(request, limit)` was given."""
        return parse_bytes(self.memory[1]) if isinstance(self.memory, tuple) else None

    @property
    def disk_bytes(self) -> int | None:
        """Bytes of scratch space."""
        return None if self.disk is None else parse_bytes(self.disk)

    @property
    def shm_bytes(self) -> int | None:
        """Bytes of /dev/shm; None for "auto" and when not given."""
        return None if self.shm in (None, "auto") else parse_bytes(str(self.shm))

    def get_device(self) -> Device | None:
        """The accelerator, whichever way it was given; None for none."""
        if self.gpu is None or self.gpu == 0:
            return None
        if isinstance(self.gpu, Device):
            return self.gpu
        return parse_device(self.gpu) if isinstance(self.gpu, str) else Device(self.gpu, "GPU")

    def get_shared_memory(self) -> str | None:
        """The size of /dev/shm; "" for "auto", None for not given."""
        return "" if self.shm == "auto" else self.shm


def _end(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, tuple) else value


def _cpu(value: Any) -> Any:
    return _range("Resources.cpu", value, _cores, 'cores such as 2 or "500m", or a (request, limit) of these')


def _memory(value: Any) -> Any:
    allowed = 'a Kubernetes quantity such as "512Mi", or a (request, limit) of these'
    return _range("Resources.memory", value, _bytes, allowed)


def _disk(value: Any) -> Any:
    if value is not None:
        _bytes("Resources.disk", value)
    return _tidy(value)


def _shm(value: Any) -> Any:
    if value is not None and value != "auto":
        _bytes("Resources.shm", value)
    return _tidy(value)


def _tidy(value: Any) -> Any:
    """A quantity without the spaces around it, which Kubernetes would not take."""
    return value.strip() if isinstance(value, str) else value


def _range(what: str, value: Any, parse: Callable[[str, Any], float], allowed: str) -> Any:
    """The value as it was given, alone or as a pair; None is not given."""
    if value is None:
        return None
    if not isinstance(value, tuple):
        parse(what, value)
    elif len(value) != 2:
        raise wrong_value(what, value, allowed)
    else:
        request, limit = (parse(what, part) for part in value)
        if request > limit:
            raise wrong_value(what, value, "a request that is not above its limit", f"try {(value[1], value[0])!r}")
    return tuple(map(_tidy, value)) if isinstance(value, tuple) else _tidy(value)


def _cores(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise wrong_value(what, value, 'cores such as 2, 0.5 or "500m", or a (request, limit) of these')
    return parse_cores(value, what)


def _bytes(what: str, value: Any) -> int:
    if isinstance(value, str):
        if did_you_mean(value, ["auto"]) and not value[:1].isdigit():
            raise wrong_value(what, value, "a Kubernetes quantity; only shm may be 'auto'")
        return parse_bytes(value, what)
    hint = ""
    if whole(value, 1):  # few are meant as GiB, thousands as MiB, and millions are bytes
        text = format_bytes(value) if value >= 1024**2 else f"{value}{'Gi' if value < 128 else 'Mi'}"
        hint = f"did you mean {text!r}?"
    raise wrong_value(what, value, 'a Kubernetes quantity, a str such as "512Mi"', hint)


def _gpu(gpu: Any) -> Any:
    """As it was given; an old spelling becomes the new one."""
    if isinstance(gpu, str):
        gpu = current(gpu)
        parse_device(gpu)
    elif gpu is not None and not isinstance(gpu, Device) and not whole(gpu, 0):
        allowed = 'an int of 0 or more, a Device, or "TYPE:count" such as "T4:1"'
        raise wrong_value("Resources.gpu", gpu, allowed, nearest_number(gpu, 0))
    return gpu
