"""GPUs, in files as drivers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_jupyter.host.machine.accelerators import Accelerator, found, variables, visible

NVIDIA = """\
Model: \t\t {model}
IRQ:   \t\t 182
GPU UUID: \t {uuid}
Video BIOS: \t 94.02.42.00.01
Bus Type: \t PCIe
DMA Size: \t 47 bits
Bus Location: \t {bus}
Device Minor: \t {minor}
GPU Excluded:\t No
"""
AMD = "cpu_cores_count {cpus}\nsimd_count {simds}\nmem_banks_count 1\nunique_id 10364345823450972309\n"


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.usefixtures("no_program")
def test_gpus_of_nvidia_in_the_order_of_the_bus(tmp_path: Path) -> None:
    for bus, minor, model in (("0000:81:00.0", 0, "Tesla T4"), ("0000:01:00.0", 1, "NVIDIA A100-SXM4-80GB")):
        text = NVIDIA.format(model=model, uuid=f"GPU-{minor}234", bus=bus, minor=minor)
        write(tmp_path / "driver/nvidia/gpus" / bus / "information", text)
    expected = [
        Accelerator("GPU", "0", "0", "GPU-1234", "NVIDIA A100-SXM4-80GB"),
        Accelerator("GPU", "1", "1", "GPU-0234", "Tesla T4"),
    ]
    assert expected == found(proc=tmp_path, sys=tmp_path / "none")


@pytest.mark.usefixtures("no_program")
def test_a_gpu_that_sleeps_has_no_uuid(tmp_path: Path) -> None:
    text = NVIDIA.format(model="Tesla T4", uuid="GPU-????????-????-????-????-????????????", bus="", minor=0)
    write(tmp_path / "driver/nvidia/gpus/0000:01:00.0/information", text)
    assert [Accelerator("GPU", "0", "0", "", "Tesla T4")] == found(proc=tmp_path, sys=tmp_path)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "echo '0, GPU-aa, NVIDIA GeForce RTX 3090'; echo '1, GPU-bb, Tesla T4'",
            [
                Accelerator("GPU", "0", "0", "GPU-aa", "NVIDIA GeForce RTX 3090"),
                Accelerator("GPU", "1", "1", "GPU-bb", "Tesla T4"),
            ],
        ),
        ("echo 'No devices were found'", []),
        ("echo 'cannot talk to the driver'; exit 9", []),
    ],
)
def test_where_the_driver_has_no_files_its_program_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, expected: list[Accelerator]
) -> None:
    script = tmp_path / "nvidia-smi"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert expected == found(proc=tmp_path, sys=tmp_path)


@pytest.mark.usefixtures("no_program")
def test_gpus_of_amd_are_those_nodes_that_are_no_cpus(tmp_path: Path) -> None:
    nodes = tmp_path / "class/kfd/kfd/topology/nodes"
    for number, (cpus, simds) in enumerate([(64, 0), (0, 416), (0, 416)]):
        write(nodes / str(number) / "properties", AMD.format(cpus=cpus, simds=simds))
    expected = [Accelerator("AMD_GPU", "0", "0"), Accelerator("AMD_GPU", "1", "1")]
    assert expected == found(proc=tmp_path, sys=tmp_path)


GPUS = [Accelerator("GPU", str(n), str(n), f"GPU-{n}abc", "Tesla T4") for n in range(4)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]),
        ("", []),
        ("-1", []),
        ("2,0", ["GPU 2", "GPU 0"]),
        (" 1 , 3", ["GPU 1", "GPU 3"]),
        ("0,-1,1", ["GPU 0"]),
        ("0,7,1", ["GPU 0"]),
        ("GPU-2abc,GPU-1", ["GPU 2", "GPU 1"]),
        ("MIG-1-2", ["GPU MIG-1-2"]),
    ],
)
def test_what_a_kernel_may_use(said: str | None, expected: list[str]) -> None:
    environ = {} if said is None else {"CUDA_VISIBLE_DEVICES": said}
    assert expected == [gpu.key for gpu in visible(GPUS, "GPU", environ)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("0,1", ["GPU 0", "GPU 1"]), ("GPU-77", ["GPU GPU-77"]), ("NoDevFiles", []), ("", []), (None, [])],
)
def test_where_no_driver_tells_the_variable_counts(said: str | None, expected: list[str]) -> None:
    environ = {} if said is None else {"CUDA_VISIBLE_DEVICES": said}
    assert expected == [gpu.key for gpu in visible([], "GPU", environ)]


def test_each_class_has_its_variable() -> None:
    both = [*GPUS, Accelerator("AMD_GPU", "0", "0")]
    assert ["AMD_GPU 0"] == [gpu.key for gpu in visible(both, "AMD_GPU", {"CUDA_VISIBLE_DEVICES": ""})]
    assert [] == visible(both, "AMD_GPU", {"HIP_VISIBLE_DEVICES": "-1"})
    assert [] == visible(both, "TPU", {})


@pytest.mark.parametrize(
    ("kind", "chosen", "environ", "expected"),
    [
        ("GPU", GPUS[1:3], {}, {"CUDA_VISIBLE_DEVICES": "1,2", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ("GPU", GPUS[1:3], {"CUDA_VISIBLE_DEVICES": "1,2,3"}, {"CUDA_VISIBLE_DEVICES": "1,2"}),
        ("GPU", GPUS[:1], {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, {"CUDA_VISIBLE_DEVICES": "0"}),
        ("GPU", [], {}, {"CUDA_VISIBLE_DEVICES": ""}),
        ("AMD_GPU", [Accelerator("AMD_GPU", "1", "1")], {}, {"HIP_VISIBLE_DEVICES": "1"}),
        ("AMD_GPU", [], {}, {"HIP_VISIBLE_DEVICES": "-1"}),
    ],
)
def test_what_a_task_is_shown(
    kind: str, chosen: list[Accelerator], environ: dict[str, str], expected: dict[str, str]
) -> None:
    assert expected == variables(kind, chosen, environ)


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        ("Tesla T4", "T4", True),
        ("NVIDIA A100-SXM4-80GB", "A100", True),
        ("NVIDIA A100-SXM4-80GB", "A100_80G", True),
        ("NVIDIA A100-SXM4-40GB", "A100_80G", False),
        ("NVIDIA L40S", "L4", False),
        ("NVIDIA L40S", "L40s", True),
        ("NVIDIA L4", "L4 shared", True),
        ("NVIDIA RTX PRO 6000 Blackwell", "RTX_PRO_6000", True),
        ("", "A100", True),
    ],
)
def test_models(model: str, asked: str, expected: bool) -> None:
    assert expected == Accelerator("GPU", "0", model=model).is_a(asked)
