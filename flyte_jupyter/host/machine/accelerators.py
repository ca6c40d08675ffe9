"""The GPUs of this machine, and which of them a kernel may use.

Sources: the driver's files of NVIDIA (`/proc/driver/nvidia`) or its `nvidia-smi`, the topology of AMD's kernel driver,
and what both say of the variables that bound what a program sees.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

VISIBLE = {"GPU": "CUDA_VISIBLE_DEVICES", "AMD_GPU": "HIP_VISIBLE_DEVICES"}
"""The variable that says which ones a program sees, by class of device."""
_NONE = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}
_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
"""Has CUDA count as the driver does; by itself it counts the fastest one first."""
_ASKED_WITHIN = 10.0
_UUID = re.compile(r"(GPU|MIG)-\S+")


@dataclass(frozen=True)
class Accelerator:
    """One GPU.

    Attributes:
        kind: class of device; name: as its variable names it, a number or a UUID.
        index: its number where the driver has told it, which is the same whoever names it; model: as the driver says.
    """

    kind: str
    name: str
    index: str = ""
    uuid: str = ""
    model: str = ""

    @property
    def key(self) -> str:
        """The same for the same GPU."""
        return f"{self.kind} {self.index or self.name}"

    def is_a(self, model: str) -> bool:
        """Whether it is of a model such as "T4" or "A100_80G"; one of unknown model may be any."""
        words = set(re.split(r"[\s_-]+", self.model.lower()))
        asked = model.lower().removesuffix(" shared").split("_")
        return not self.model or all(word in words or f"{word}b" in words for word in asked)


def found(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> list[Accelerator]:
    """All GPUs that the drivers of this machine know. May take a while when they sleep."""
    return [*(_nvidia(proc) or _nvidia_smi()), *_amd(sys)]


def _nvidia(proc: Path) -> list[Accelerator]:
    """In the order of the bus, as the driver counts."""
    gpus: list[Accelerator] = []
    for place in sorted((proc / "driver/nvidia/gpus").glob("*/information")):
        with contextlib.suppress(OSError):
            said = dict(line.partition(":")[::2] for line in place.read_text().splitlines())
            told = {name.strip(): value.strip() for name, value in said.items()}
            uuid = told.get("GPU UUID", "")
            number = str(len(gpus))
            gpus.append(Accelerator("GPU", number, number, "" if "?" in uuid else uuid, told.get("Model", "")))
    return gpus


def _nvidia_smi() -> list[Accelerator]:
    """Where the driver has no files, as in WSL."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        told = subprocess.run(
            [program, "--query-gpu=index,uuid,name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_ASKED_WITHIN,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",", 2)] for line in told.splitlines()]
    return [Accelerator("GPU", row[0], *row) for row in rows if len(row) == 3]


def _amd(sys: Path) -> list[Accelerator]:
    """The nodes of the topology that have vector units; the others are CPUs."""
    gpus: list[Accelerator] = []
    nodes = (sys / "class/kfd/kfd/topology/nodes").glob("*/properties")
    for place in sorted(nodes, key=lambda path: (len(path.parent.name), path.parent.name)):
        with contextlib.suppress(OSError):  # one that this user may not use
            properties = dict(line.split(None, 1) for line in place.read_text().splitlines() if " " in line)
            if int(properties.get("simd_count", "0")):
                gpus.append(Accelerator("AMD_GPU", str(len(gpus)), str(len(gpus))))
    return gpus


def visible(all_: Sequence[Accelerator], kind: str, environ: Mapping[str, str]) -> list[Accelerator]:
    """Those of a class that a kernel with these variables may use.

    What its variable names counts, as far as the driver knows it; where no driver tells anything, the variable alone.
    As in CUDA, nothing counts after the first name that is wrong.
    """
    here = [gpu for gpu in all_ if gpu.kind == kind]
    said = environ.get(VISIBLE.get(kind, ""))
    if said is None:
        return here
    seen: list[Accelerator] = []
    for name in said.replace(" ", "").split(","):
        known = next((gpu for gpu in here if name in (gpu.index, gpu.uuid) or _begins(gpu.uuid, name)), None)
        if known is not None:
            seen.append(Accelerator(kind, name, known.index, known.uuid, known.model))
        elif _UUID.fullmatch(name) or (not here and name.isdigit()):
            seen.append(Accelerator(kind, name))
        else:
            break
    return seen


def _begins(uuid: str, name: str) -> bool:
    return name.startswith("GPU-") and uuid.startswith(name)


def variables(kind: str, chosen: Sequence[Accelerator], environ: Mapping[str, str]) -> dict[str, str]:
    """What shows a program these and no others."""
    variable = VISIBLE[kind]
    if not chosen:
        return {variable: _NONE[variable]}
    counts = kind == "GPU" and variable not in environ and "CUDA_DEVICE_ORDER" not in environ
    return {variable: ",".join(gpu.name for gpu in chosen), **(_ORDER if counts else {})}


def hidden() -> dict[str, str]:
    """What shows a program none at all."""
    return dict(_NONE)
