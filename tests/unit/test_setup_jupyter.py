from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import setup_jupyter as setup
from labextension import build


def test_an_old_python_is_told_what_it_is_and_what_to_do() -> None:
    message = setup.refusal((3, 9), "linux")
    assert message is not None
    assert "needs Python 3.10 or newer; this is 3.9" in message
    assert "python3.12 setup_jupyter.py" in message


def test_windows_is_pointed_to_wsl() -> None:
    message = setup.refusal((3, 12), "win32")
    assert message is not None
    assert "WSL" in message


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("version", [(3, 10), (3, 14), (4, 0)])
def test_other_pythons_and_systems_are_welcome(version: tuple[int, int], system: str) -> None:
    assert setup.refusal(version, system) is None


def test_the_key_is_the_content() -> None:
    key = setup.state_key(b"[project]", "cpython-311", "/a")
    assert setup.state_key(b"[project]", "cpython-311", "/a") == key
    others = {
        setup.state_key(b"[project] ", "cpython-311", "/a"),
        setup.state_key(b"[project]", "cpython-312", "/a"),
        setup.state_key(b"[project]", "cpython-311", "/b"),  # an editable installation points to its folder
        setup.state_key(b"[project]cpython", "-311", "/a"),
    }
    assert len(others) == 4
    assert key not in others


@pytest.mark.parametrize(
    ("state", "wanted", "expected"),
    [
        ({}, ["run"], ["run"]),
        ({"key": "k", "extras": ["run"]}, ["run"], []),
        ({"key": "k", "extras": ["run", "test"]}, ["run"], []),
        ({"key": "k", "extras": ["run"]}, ["test"], ["run", "test"]),
        ({"key": "old", "extras": ["lab", "run"]}, ["run"], ["lab", "run"]),  # what was there stays usable
        ({"python": "cpython-311"}, ["test"], ["test"]),  # interrupted before pip
    ],
)
def test_only_what_is_not_there_is_installed(state: dict[str, object], wanted: list[str], expected: list[str]) -> None:
    assert setup.extras_to_install(state, "k", wanted) == expected


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose .venv costs nothing: the commands that would make it are written down in `commands`."""
    venv = tmp_path / ".venv"
    monkeypatch.setattr(setup, "HERE", tmp_path)
    monkeypatch.setattr(setup, "VENV", venv)
    monkeypatch.setattr(setup, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(setup, "STATE", venv / "setup_jupyter.json")
    monkeypatch.setattr(build, "key", lambda: "built")
    monkeypatch.setattr(build, "requires", list)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


@pytest.fixture
def commands(clone: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []

    def pretend(command: list[str]) -> None:
        if "venv" in command:
            setup.PYTHON.parent.mkdir(parents=True, exist_ok=True)
            setup.PYTHON.touch()
        done.append("venv" if "venv" in command else command[-1])

    monkeypatch.setattr(setup, "quietly", pretend)
    return done


def test_a_second_call_does_nothing_twice(commands: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    setup.prepare("run")
    assert commands == ["venv", ".[run]"]
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" ... ")[0] for line in said] == [
        f"making .venv with Python {platform.python_version()}",
        "installing flyte_jupyter[run]",
    ]
    assert all(line.endswith(" s") for line in said)

    setup.prepare("run")
    assert commands == ["venv", ".[run]"]
    assert capsys.readouterr().out == ""


def test_a_changed_pyproject_is_installed_again_into_the_same_venv(clone: Path, commands: list[str]) -> None:
    setup.prepare("test")
    (clone / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    setup.prepare("run")
    assert commands == ["venv", ".[test]", ".[run,test]"]


def test_a_changed_extension_is_built_and_installed_again(
    commands: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.prepare("run")
    monkeypatch.setattr(build, "key", lambda: "another")
    monkeypatch.setattr(build, "requires", lambda: ["jupyter-builder"])
    capsys.readouterr()
    setup.prepare("run")
    assert commands == ["venv", ".[run]", ".[run]"]
    assert "installing flyte_jupyter[run], and building its JupyterLab extension ... " in capsys.readouterr().out


def test_jupyterlab_comes_with_the_kernel(commands: list[str]) -> None:
    setup.prepare("lab")
    assert commands == ["venv", ".[lab]", "--sys-prefix"]


def test_the_kernel_for_the_users_own_jupyter(commands: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(setup, "openly", lambda command: asked.append(command) or 0)
    assert setup.main(["kernel"]) == 0
    assert asked == [[str(setup.PYTHON), "-m", "flyte_jupyter", "kernel", "install", "--user"]]


def test_an_interrupted_installation_is_done_again(commands: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pretend = setup.quietly

    def interrupted(command: list[str]) -> None:
        pretend(command)
        if "pip" in command:
            raise KeyboardInterrupt

    monkeypatch.setattr(setup, "quietly", interrupted)
    with pytest.raises(KeyboardInterrupt):
        setup.prepare("run")
    monkeypatch.setattr(setup, "quietly", pretend)
    setup.prepare("run")
    assert commands == ["venv", ".[run]", ".[run]"]


def test_a_venv_of_another_python_is_made_anew(commands: list[str]) -> None:
    setup.prepare("run")
    state = setup.read_state()
    assert state is not None
    setup.write_state({**state, "python": "cpython-39"})
    setup.prepare("run")
    assert commands == ["venv", ".[run]", "venv", ".[run]"]


@pytest.mark.usefixtures("commands")
def test_a_venv_of_the_user_is_left_alone(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv" / "pyvenv.cfg").touch()
    assert setup.main(["develop"]) == 1
    assert "was not made by this program" in capsys.readouterr().err
    assert setup.main(["uninstall"]) == 0
    assert (clone / ".venv" / "pyvenv.cfg").exists()


def test_a_failing_step_shows_its_last_lines_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "import sys; [print('line', n) for n in range(100)]; print('why', file=sys.stderr); sys.exit(7)"

    def word(_rest: object) -> int:
        with setup.step("doing it"):
            setup.quietly([sys.executable, "-u", "-c", program])
        return 0

    monkeypatch.setitem(setup.WORDS, "run", word)
    assert setup.main(["run"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("doing it ... failed after ")
    assert "ended with exit code 7" in err
    shown = err.splitlines()[-setup.LAST_LINES :]
    assert [*(f"line {n}" for n in range(71, 100)), "why"] == shown


def test_arguments_after_test_go_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setitem(setup.WORDS, "test", seen.append)
    setup.main(["test", "tests/unit", "-k", "host and not slow", "-x", "--lf"])
    assert seen == [["tests/unit", "-k", "host and not slow", "-x", "--lf"]]


def test_arguments_after_other_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        setup.main(["uninstall", "--force"])
    assert refused.value.code == 2
    assert "--force" in capsys.readouterr().err


def test_help_names_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as shown:
        setup.main(["--help"])
    assert shown.value.code == 0
    out = capsys.readouterr().out
    assert all(f"\n    {word}" in out for word in ("run", "test", "lab", "develop", "doctor", "uninstall"))


def test_debian_without_venv_is_told_the_package() -> None:
    message = setup.missing_venv(lambda module: None if module == "ensurepip" else object())
    assert message is not None
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in message
    assert setup.missing_venv(lambda _: object()) is None


def test_doctor_finds_what_is_there(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.touch()
    programs = {"kubectl": "/bin/kubectl", "google-chrome": "/bin/google-chrome"}
    found = setup.look_at_machine(programs.get, {"KUBECONFIG": f"/none:{config}"}, tmp_path, 3 * 2**30)
    assert {f.name: (f.good, f.found) for f in found} == {
        "disk": (True, "3.0 GiB free"),
        "browser": (True, "/bin/google-chrome"),
        "kubectl": (True, "/bin/kubectl"),
        "kubeconfig": (True, str(config)),
    }


def test_doctor_says_what_to_do_about_what_is_not_there(tmp_path: Path) -> None:
    found = setup.look_at_machine(lambda _: None, {}, tmp_path, 2**20)
    assert [f.good for f in found] == [False] * 4
    lines = setup.table(found).splitlines()
    assert lines[0] == "  --  disk        0.0 GiB free"
    assert "install chromium" in setup.table(found)
    assert len(lines) == 8  # each with its advice below


def test_doctor_makes_nothing(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "--  venv        not made yet" in out
    assert "python setup_jupyter.py develop" in out
    assert [p.name for p in clone.iterdir()] == ["pyproject.toml"]


def test_uninstall_removes_the_venv_and_the_kernels_that_need_it(
    clone: Path, commands: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    ours, other, broken = (tmp_path / "jupyter" / "kernels" / name for name in ("ours", "other", "broken"))
    setup.prepare("run")
    for folder, spec in ((ours, {"argv": [str(setup.PYTHON), "-m"]}), (other, {"argv": ["python"]}), (broken, [])):
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setattr(setup, "in_venv", lambda module: module == "flyte_jupyter.host")

    assert setup.main(["uninstall"]) == 0
    assert commands[-1] == "--stop"
    assert not (clone / ".venv").exists()
    assert [ours.exists(), other.exists(), broken.exists()] == [False, True, True]


def test_it_runs_without_anything_installed(tmp_path: Path) -> None:
    """`-E -S`: no site-packages, so that only the standard library is there."""
    file = Path(setup.__file__)
    ended = subprocess.run(
        [sys.executable, "-E", "-S", str(file), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
