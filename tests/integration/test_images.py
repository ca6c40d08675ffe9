"""Tasks with images run in virtual environments that were made of them, with real packages."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import flyte_jupyter as flyte
from flyte_jupyter import errors
from flyte_jupyter.home import Home
from tests.conftest import eventually
from tests.integration.images import NEW, OLD, built, image, left, said

old = flyte.TaskEnvironment(name="old", image=image(OLD))
new = flyte.TaskEnvironment(name="new", image=image(NEW))
plain = flyte.TaskEnvironment(name="plain", image=image())
auto = flyte.TaskEnvironment(name="auto")


def iniconfig() -> str:
    return metadata.version("iniconfig")


version_in_old = old.task(iniconfig)
version_in_new = new.task(iniconfig)
version_here = auto.task(iniconfig)


def task_in(image: flyte.Image, func: object) -> flyte.Task[..., object]:
    """That function as a task of an environment with that image."""
    return flyte.TaskEnvironment(name="one_off", image=image).task(func)  # type: ignore[call-overload, no-any-return]


def test_versions_side_by_side() -> None:
    runs = [flyte.submit(task) for task in (version_in_old, version_in_new, version_here)]
    assert ["2.0.0", "2.1.0", metadata.version("iniconfig")] == [run.result() for run in runs]


def test_tasks_of_several_images_call_each_other() -> None:
    @new.task
    def child() -> str:
        return metadata.version("iniconfig")

    @auto.task
    def at_home() -> str:
        return sys.prefix

    @old.task
    async def parent() -> list[str]:
        return [metadata.version("iniconfig"), await child.aio(), *flyte.map(version_in_new), await at_home.aio()]

    assert ["2.0.0", "2.1.0", sys.prefix] == flyte.run(parent).outputs()[0]


def test_it_is_a_virtual_environment_of_its_own(home: Home) -> None:
    @old.task
    def looks() -> dict[str, str]:
        import shutil

        run = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, cwd="/")
        return {
            "prefix": sys.prefix,
            "VIRTUAL_ENV": os.environ["VIRTUAL_ENV"],
            "python": str(shutil.which("python")),
            "pip": str(shutil.which("pip")),
            "package": str(Path(flyte.__file__).parent),
            "in a subprocess": run.stdout.strip(),
            "cwd": os.getcwd(),
        }

    found = flyte.run(looks).outputs()[0]
    venv = str(home.images / built(home)[0])
    here = os.path.dirname(os.path.realpath(str(flyte.__file__)))
    assert {
        "prefix": venv,
        "VIRTUAL_ENV": venv,
        "python": f"{venv}/bin/python",
        "pip": f"{venv}/bin/pip",
        "package": here,
        "in a subprocess": f"{here} {flyte.__version__} {metadata.version('cloudpickle')} False",
        "cwd": os.getcwd(),
    } == found


_PROBE = """
import importlib.util, os, cloudpickle, flyte_jupyter
folder = os.path.dirname(os.path.realpath(flyte_jupyter.__file__))
print(folder, flyte_jupyter.__version__, cloudpickle.__version__, importlib.util.find_spec("pytest") is not None)
"""


def square(x: int) -> int:
    return x * x


def test_subprocesses_of_multiprocessing() -> None:
    @old.task
    def spawns() -> list[int]:
        import multiprocessing
        from operator import neg

        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.map(neg, [1, 2])

    assert [-1, -2] == flyte.run(spawns).outputs()[0]


def test_what_the_notebook_defines_goes_along() -> None:
    @plain.task
    def uses(x: int) -> int:
        return square(x) + 1

    assert 10 == flyte.run(uses, 3).outputs()[0]


def test_what_is_not_in_the_image_is_named() -> None:
    @plain.task
    def needs() -> str:
        import iniconfig

        return str(iniconfig)

    with pytest.raises(ModuleNotFoundError) as caught:
        flyte.run(needs)
    here = f"iniconfig=={metadata.version('iniconfig')}"
    assert f'{here} is not in the image of needs.\nAdd it: .with_pip_packages("{here}")' in str(caught.value)


def test_what_is_not_in_the_image_is_named_before_the_task_begins() -> None:
    import iniconfig as captured

    @plain.task
    def needs() -> str:
        return str(captured.IniConfig)

    with pytest.raises(errors.RuntimeUserError, match=r'Add it: \.with_pip_packages\("iniconfig==') as caught:
        flyte.run(needs)
    assert "ModuleNotFoundError" == caught.value.code


def test_what_nobody_knows() -> None:
    @plain.task
    def needs() -> None:
        import there_is_no_such_module

        print(there_is_no_such_module)

    with pytest.raises(ModuleNotFoundError, match=r"there_is_no_such_module is not in the image of needs"):
        flyte.run(needs)


def test_another_version_than_the_kernel_has() -> None:
    @old.task
    def needs() -> None:
        import iniconfig.nothing

        print(iniconfig)

    with pytest.raises(ModuleNotFoundError) as caught:
        flyte.run(needs)
    here = f"iniconfig=={metadata.version('iniconfig')}"
    assert "iniconfig==2.0.0, which is in the image of needs, has no module iniconfig.nothing." in str(caught.value)
    assert f'This kernel has {here}.\nAsk for the same: .with_pip_packages("{here}")' in str(caught.value)


def test_a_result_that_cannot_be_opened_here() -> None:
    @auto.task
    def passes_on(x: object) -> str:
        return type(x).__name__

    image = flyte.Image.from_debian_base().with_pip_packages("inflection==0.5.1")

    def makes() -> object:
        import inflection

        return inflection.titleize

    run = flyte.submit(task_in(image, makes))
    with pytest.raises(ModuleNotFoundError, match="cannot be opened in this process: it needs inflection") as caught:
        run.result()
    assert isinstance(caught.value, errors.RuntimeUserError)
    assert "return plain data" in str(caught.value)


def test_variables_and_folder() -> None:
    laid = flyte.Image.from_debian_base().with_env_vars({"A": "1", "B": "$A-2", "PATH": "/extra:$PATH"})
    env = flyte.TaskEnvironment(name="laid", image=laid.with_workdir("/app/deep"), env_vars={"A": "task"})

    @env.task
    def looks() -> list[str]:
        Path("left_behind").touch()
        return [os.environ["A"], os.environ["B"], os.environ["PATH"].split(":")[0], os.getcwd(), sys.path[0]]

    a, b, path, first, entry = flyte.run(looks).outputs()[0]
    *_, second, _ = flyte.run(looks).outputs()[0]
    assert ["task", "1-2", "/extra"] == [a, b, path]
    assert (True, first, False) == (first.endswith("/app/deep"), entry, first == second)


def test_files_of_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "beside.py").write_text("ANSWER = 42\n")
    (tmp_path / "lib" / "big.bin").write_bytes(os.urandom(3_000_000))
    (tmp_path / "run.sh").write_text("#!/bin/sh\necho run\n")
    (tmp_path / "run.sh").chmod(0o755)
    laid = image(OLD).with_workdir("/app").with_source_folder("lib", copy_contents_only=True).with_source_file("run.sh")

    def reads(change: bool) -> list[object]:
        import beside

        if change:
            Path("beside.py").write_text("ANSWER = 0\n")
        ran = subprocess.run(["./run.sh"], capture_output=True, text=True, check=True)
        root = os.environ["FLYTE_JUPYTER_IMAGE"]
        return [beside.ANSWER, ran.stdout, Path("big.bin").stat().st_size, Path(root, "app/run.sh").exists(), root]

    task = task_in(laid, reads)
    *first, root = flyte.run(task, True).outputs()[0]
    *second, _ = flyte.run(task, False).outputs()[0]
    assert [42, "run\n", 3_000_000, True] == first == second
    (tmp_path / "lib" / "beside.py").write_text("ANSWER = 43\n")
    assert 43 == flyte.run(task, False).outputs()[0][0]
    assert 1 == len(built(home))
    eventually(lambda: not Path(root).exists())


def test_a_large_file_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open("large", "wb") as file:
        file.truncate(200_000_000)

    def size() -> int:
        return Path("large").stat().st_size

    run = flyte.run(task_in(image().with_source_file("large"), size))
    assert 200_000_000 == run.outputs()[0]
    assert run.view()["actions"][0]["peak_memory"] < 150_000_000


def test_a_file_that_was_changed_in_the_store_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text("ANSWER = 42\n")

    def answers() -> int:
        import beside

        return int(beside.ANSWER)

    task = task_in(image().with_source_file("beside.py"), answers)
    assert 42 == flyte.run(task).outputs()[0]
    for stored in (home.path / "store" / "files").iterdir():
        stored.write_text("ANSWER = 43\n")
    with pytest.raises(errors.RuntimeSystemError, match=r"beside\.py is damaged in the store"):
        flyte.run(task)


def test_a_code_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "data.txt").write_text("data")
    (tmp_path / "bundled_one.py").write_text("ANSWER = 42\n")
    (tmp_path / "bundled_two.py").write_text("ANSWER = 43\n")
    __import__("bundled_one")

    def looks() -> list[str]:
        return sorted(str(path) for path in Path().rglob("*.*"))

    everything = ["code/bundled_one.py", "code/bundled_two.py", "code/data.txt"]
    assert everything == flyte.run(task_in(image().with_code_bundle("all", "code"), looks)).outputs()[0]
    assert ["bundled_one.py"] == flyte.run(task_in(image().with_code_bundle(), looks)).outputs()[0]


def test_without_packages_it_stays_in_the_environment_of_the_kernel() -> None:
    laid = flyte.Image.from_base("some/base:1").clone(name="x", extendable=True).with_env_vars({"A": "1"})

    def looks() -> list[str]:
        return [sys.prefix, os.environ["A"]]

    run = flyte.run(task_in(laid, looks))
    assert [sys.prefix, "1"] == run.outputs()[0]
    assert ["image: the base image 'some/base:1' is not used here; the task runs in this environment."] == run.view()[
        "notes"
    ]


def test_an_image_by_name_is_a_plain_python(home: Home) -> None:
    env = flyte.TaskEnvironment(name="named", image=f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim")

    @env.task
    def where() -> str:
        return sys.prefix

    run = flyte.run(where)
    assert [str(home.images / key) for key in built(home)] == [run.outputs()[0]]
    assert [] == run.view()["notes"]


def test_the_card_shows_the_build() -> None:
    run = flyte.run(version_in_old)
    view = run.view()
    assert ["queued", "image", "initializing", "running", "succeeded"] == [
        step or phase for phase, _, _, step in view["actions"][0]["history"]
    ]
    assert any("iniconfig==2.0.0" in line for line in said(run))
    assert [] == list(run.get_logs())
    again = flyte.run(version_in_old)
    assert [] == said(again)


def test_what_is_left_out_is_said_or_refused() -> None:
    env = flyte.TaskEnvironment(name="more", image=image(OLD).with_apt_packages("git"))

    @env.task
    def one() -> int:
        return 1

    note = "image: the system packages git (with_apt_packages) are not installed here."
    assert [note] == flyte.run(one).view()["notes"]
    with pytest.raises(errors.ConfigValueError, match="system packages git"):
        flyte.with_runcontext(strict=True).run(one)


OTHER = (3, 9) if sys.version_info[:2] != (3, 9) else (3, 10)


@pytest.mark.parametrize(
    "other", [flyte.Image.from_debian_base(OTHER), flyte.Image.from_base(f"python:{OTHER[0]}.{OTHER[1]}")]
)
def test_another_python_is_refused_before_anything_starts(other: flyte.Image, home: Home) -> None:
    with pytest.raises(errors.ConfigValueError, match=f"'{OTHER[0]}.{OTHER[1]}'"):
        flyte.run(task_in(other, iniconfig))
    assert ([], []) == (flyte.runs(), left(home))


def test_a_missing_file_is_refused_before_anything_starts(home: Home) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        flyte.run(task_in(image().with_requirements("none.txt"), iniconfig))
    assert ([], []) == (flyte.runs(), left(home))


@auto.task
def calls(task: Any) -> None:
    task()


def test_the_error_ends_where_the_user_is() -> None:
    """Whatever was being pickled when the file was looked for."""
    never = task_in(image().with_requirements("none.txt"), iniconfig)
    for task, given in ((never, ()), (calls, (never,))):
        with pytest.raises(errors.ImageFileError, match="looked for") as caught:
            flyte.run(task, *given)  # type: ignore[arg-type]
        shown = [frame.f_code.co_name for frame, _ in traceback.walk_tb(errors.user_frames(caught.value.__traceback__))]
        assert ["test_the_error_ends_where_the_user_is"] == shown


def test_without_uv_it_is_refused(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    from flyte_jupyter.engine import images

    monkeypatch.setattr(images, "find_uv", lambda: None)
    with pytest.raises(errors.ConfigValueError, match=r'pip install "flyte_jupyter\[image\]"'):
        flyte.run(version_in_old)
    assert ([], []) == (flyte.runs(), left(home))
