"""Accelerators: what `Resources(gpu=...)` may name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from ...errors import ConfigError
from ..accept import optional, text
from ..field import edited
from ..refusal import did_you_mean, gathered, nearest_number, raise_all, similar, warn, wrong_type, wrong_value
from .value import Value

DeviceClass: TypeAlias = Literal["GPU", "TPU", "NEURON", "AMD_GPU", "HABANA_GAUDI", "APPLE_SILICON"]

_EIGHT = range(1, 9)
_ONE = range(1, 2)
_TRAINIUM = (1, 4, 8, 16)
_SHARED = ("T4 shared", "L4 shared", "A10G shared", "A10 shared", "L40S shared")
_GPUS: dict[str, Any] = (
    {"A2": _ONE, "GB10": _ONE, "RTX_PRO_4500": _ONE, "RTX_PRO_6000": (1, 2)}
    | dict.fromkeys(("A10", "A10G", "A100", "A100_80G", "B200", "H100", "H200", "L4", "L40s", "T4", "V100"), _EIGHT)
    | dict.fromkeys(_SHARED, _ONE)
)
_NEURON: dict[str, Any] = dict.fromkeys(("Trn1", "Trn1n", "Trn2", "Trn2u"), _TRAINIUM) | {
    "Inf1": range(1, 17),
    "Inf2": range(1, 13),
}
_AMD: dict[str, Any] = dict.fromkeys(
    ("MI100", "MI210", "MI250", "MI250X", "MI300A", "MI300X", "MI325X", "MI350X", "MI355X"), _ONE
)
_GAUDI: dict[str, Any] = {"Gaudi1": _ONE}
_APPLE: dict[str, Any] = {"AppleSilicon": _ONE}
_KINDS: dict[DeviceClass, dict[str, Any]] = {
    "GPU": _GPUS,
    "NEURON": _NEURON,
    "AMD_GPU": _AMD,
    "HABANA_GAUDI": _GAUDI,
    "APPLE_SILICON": _APPLE,
}
_80G = "1g.10gb 2g.20gb 3g.40gb 4g.40gb 7g.80gb"
_FLAT = "1x1 2x2 2x4 4x4 4x8 8x8 8x16 16x16"
_PARTITIONS = {
    "A100": "1g.5gb 2g.10gb 3g.20gb 4g.20gb 7g.40gb",
    "A100_80G": _80G,
    "H100": f"{_80G} 1g.20gb",
    "H200": "1g.18gb 1g.35gb 2g.35gb 3g.71gb 4g.71gb 7g.141gb",
    "RTX_PRO_6000": "1g.24gb 2g.48gb 4g.96gb",
}
_TPUS = {
    "V5E": _FLAT,
    "V5P": "2x2x1 2x2x2 2x4x4 4x4x4 4x4x8 4x8x8 8x8x8 8x8x16 8x16x16 16x16x16 16x16x24",
    "V6E": _FLAT,
}


def models() -> list[str]:
    """What "TYPE:count" may be, each type with its lowest count."""
    counted = (f"{name}:{min(counts)}" for kind in _KINDS.values() for name, counts in kind.items())
    return [*counted, *(f"{name}:1" for name in _TPUS)]


def devices() -> list[str]:
    """The models that are known, but for the one that its class names already."""
    return [*(name for kind in _KINDS.values() for name in kind if name not in _APPLE), *_TPUS]


def partitions() -> list[str]:
    """The parts of GPUs and the topologies of TPUs that are known."""
    return list(dict.fromkeys(part for parts in (_PARTITIONS | _TPUS).values() for part in parts.split()))


@dataclass(frozen=True, repr=False)
class Device(Value):
    """An accelerator, free-form; `GPU`, `TPU` and the others make checked ones.

    Attributes:
        quantity: how many, 1 or more.
        device_class: "GPU", "TPU", "NEURON", "AMD_GPU", "HABANA_GAUDI" or "APPLE_SILICON".
        device: the model, such as "A100"; None for any, and for the only one of "APPLE_SILICON".
        partition: a part of the device, such as "1g.5gb" of an A100 or the topology "2x2" of a TPU.

    Raises:
        ConfigValueError: the quantity is below 1 or the class is unknown. ConfigTypeError: a value of a wrong type.
    """

    quantity: int = field(metadata=edited("number", least=1, examples=(1,)))
    device_class: DeviceClass = field(metadata=edited("choice", choices=get_args(DeviceClass)))
    device: str | None = field(default=None, metadata=edited("choice", choices=devices, is_open=True))
    partition: str | None = field(default=None, metadata=edited("choice", choices=partitions, is_open=True))

    def __post_init__(self) -> None:
        problems = self._canonical(
            quantity=lambda value: _quantity("Device.quantity", value),
            device_class=_class,
            device=optional(text("Device.device")),
            partition=optional(text("Device.partition")),
        )
        is_apple = self.device_class == "APPLE_SILICON"
        if is_apple and self.device is None:
            object.__setattr__(self, "device", "AppleSilicon")
        if (str(self.device) in _APPLE) is not is_apple:
            allowed = 'Device(1, "APPLE_SILICON", "AppleSilicon"), or neither of the two words'
            problems.append(wrong_value("Device.device", self.device, allowed))
        elif is_apple and self.quantity != 1:
            problems.append(wrong_value("Device.quantity", self.quantity, "1: a Mac has one GPU"))
        raise_all(problems)

    def in_words(self) -> str:
        """How many of what: "2 × A100, part 1g.5gb"."""
        part = f", {'topology' if self.device_class == 'TPU' else 'part'} {self.partition}" if self.partition else ""
        return f"{self.quantity} × {self.device or self.device_class}{part}"


def GPU(device: str, quantity: int, partition: str | None = None) -> Device:
    """`quantity` NVIDIA GPUs of a model, or parts of it.

    Raises:
        ConfigValueError: an unknown model, a quantity below 1, or a partition that the model does not have.
    """
    problems: list[ConfigError] = []
    device = current(device)
    with gathered(problems):
        _known("GPU.device", device, _GPUS)
    with gathered(problems):
        _quantity("GPU.quantity", quantity)
    if partition is not None and device in _SHARED:
        problems.append(wrong_value("GPU.partition", partition, f"none: {device!r} is shared already"))
    elif partition is not None and device in _PARTITIONS:
        with gathered(problems):
            _part("GPU.partition", partition, _PARTITIONS[device])
    raise_all(problems)
    return Device(quantity, "GPU", device, partition)


def TPU(device: Literal["V5E", "V5P", "V6E"], partition: str | None = None) -> Device:
    """A TPU slice of the topology `partition`.

    Raises:
        ConfigValueError: an unknown model or topology.
    """
    _known("TPU.device", device, _TPUS)
    if partition is not None:
        _part("TPU.partition", partition, _TPUS[device])
    return Device(1, "TPU", device, partition)


def Neuron(device: str) -> Device:
    """One AWS Neuron device, such as "Trn1". Raises ConfigValueError for an unknown one."""
    return Device(1, "NEURON", _known("Neuron.device", device, _NEURON))


def AMD_GPU(device: str) -> Device:
    """One AMD GPU, such as "MI300X". Raises ConfigValueError for an unknown one."""
    return Device(1, "AMD_GPU", _known("AMD_GPU.device", device, _AMD))


def HABANA_GAUDI(device: Literal["Gaudi1"]) -> Device:
    """One Habana Gaudi device. Raises ConfigValueError for an unknown one."""
    return Device(1, "HABANA_GAUDI", _known("HABANA_GAUDI.device", device, _GAUDI))


def APPLE_SILICON() -> Device:
    """One Apple silicon GPU."""
    return Device(1, "APPLE_SILICON", "AppleSilicon")


def current(model: Any) -> Any:
    """The spelling of today of what Flyte once called otherwise, with a warning."""
    for old, new in (("A100 80G", "A100_80G"), ("RTX PRO 6000", "RTX_PRO_6000")):
        if isinstance(model, str) and model.partition(":")[0] == old:
            renamed = model.replace(old, new)
            warn(f"{model!r} is an old spelling of {renamed!r}", FutureWarning)
            return renamed
    return model


def parse_device(given: str) -> Device:
    """The device of "TYPE:count", such as "T4:1" or "A10G shared:1"; "AppleSilicon" needs no count.

    A TPU takes its topology instead: "V5P:2x2x1".

    Raises:
        ConfigValueError: an unknown type (the nearest is named), a missing count, or one that the type does not have.
    """
    what, allowed = "Resources.gpu", 'an int, a Device, or "TYPE:count" such as "T4:1"'
    model, _, count = given.partition(":")
    if model in _TPUS:
        return TPU(model, None if count in ("", "1") else count)  # type: ignore[arg-type]  # it is one of these
    for device_class, models in _KINDS.items():
        if model not in models:
            continue
        if not count and device_class != "APPLE_SILICON":
            raise wrong_value(what, given, allowed, f"the count is missing: {model + ':1'!r}")
        counts = models[model]
        if count and count not in map(str, counts):
            allowed = f"{model} comes in counts of {', '.join(map(str, counts))}"
            raise wrong_value(what, given, allowed, f"the nearest is {_nearest(model, count)!r}")
        return Device(int(count or 1), device_class, model)
    meant = similar(model, [*(name for models in _KINDS.values() for name in models), *_TPUS])
    raise wrong_value(what, given, allowed, f"did you mean {_nearest(meant, count)!r}?" if meant else "")


def _nearest(model: str, count: str) -> str:
    """The text for a known model with a count, or a topology, that comes nearest."""
    if model in _TPUS:
        return f"{model}:{count if count in _TPUS[model].split() else 1}"
    counts = next(models[model] for models in _KINDS.values() if model in models)
    few = min(counts, key=lambda one: abs(one - int(count))) if count.isdecimal() else min(counts)
    return f"{model}:{few}"


def _known(what: str, device: Any, models: dict[str, Any]) -> str:
    if not isinstance(device, str) or device not in models:
        raise wrong_value(what, device, ", ".join(models), did_you_mean(str(device), models))
    return device


def _quantity(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(what, value, "an int of 1 or more", nearest_number(value, 1))
    if value < 1:
        raise wrong_value(what, value, "an int of 1 or more", nearest_number(value, 1))
    return value


def _class(value: Any) -> str:
    classes = get_args(DeviceClass)
    if value not in classes:
        raise wrong_value("Device.device_class", value, ", ".join(classes), did_you_mean(str(value), classes))
    return str(value)


def _part(what: str, partition: Any, parts: str) -> None:
    allowed = parts.split()
    if partition not in allowed:
        raise wrong_value(what, partition, ", ".join(allowed), did_you_mean(str(partition), allowed))


def catalogue() -> list[tuple[str, str, list[int], list[str]]]:
    """What is known: the function that makes it, the model, in which counts it comes, and its parts."""
    makers = {"GPU": "GPU", "NEURON": "Neuron", "AMD_GPU": "AMD_GPU", "HABANA_GAUDI": "HABANA_GAUDI"}
    found = [
        (makers.get(kind, kind), model, list(counts), _PARTITIONS.get(model, "").split())
        for kind, known in _KINDS.items()
        for model, counts in known.items()
    ]
    return [*found, *(("TPU", model, [1], parts.split()) for model, parts in _TPUS.items())]
