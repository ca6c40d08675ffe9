"""The private folder of one user."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flyte_jupyter.errors import HostError
from flyte_jupyter.home import HOME_VARIABLE, Home, private_folder, write_privately

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
ROOT = Path(__file__).parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parent" / "state"


def test_the_folder_is_private(folder: Path) -> None:
    old = os.umask(0)
    try:
        home = Home(folder).make()
    finally:
        os.umask(old)
    assert 0o700 == mode(home.path)
    assert f"Home('{folder}')" == repr(home.make())


@pytest.mark.parametrize("before", [0o777, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_closed(folder: Path, before: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(before)
    Home(folder).make()
    assert 0o700 == mode(folder)


@ROOT_ONLY
def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.chown(folder, 65534, 65534)
    with pytest.raises(HostError, match=f"is not a folder of yours.*\n.*{HOME_VARIABLE}"):
        Home(folder).make()


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HostError, match="link is not a folder of yours"):
        private_folder(tmp_path / "link")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HostError, match="file is not a folder of yours"):
        Home(tmp_path / "file").make()


# --- which folder -----------------------------------------------------------------------------------------------------


def test_the_environment_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    assert folder == Home().path
    assert Path("/else") == Home("/else").path


def test_a_folder_may_be_relative_or_in_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [tmp_path / "a", tmp_path / "b"] == [Home("a").path, Home("~/b").path]


def test_the_place_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert tmp_path in Home().path.parents
    assert "flyte_jupyter" == Home().path.name


def test_what_is_in_it(folder: Path) -> None:
    home = Home(folder)
    assert f"file://{folder}/store" == home.store_url
    names = [path.relative_to(folder).name for path in (home.lock, home.log, home.open_pods, home.socket)]
    first, _, rest = names[0].partition(".")
    assert "lock" == rest
    assert [f"{first}.{end}" for end in ("lock", "log", "open", "sock")] == names


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once(folder: Path) -> None:
    home = Home(folder)
    key = home.key()
    assert (32, key, key) == (len(key), home.key(), Home(folder).key())
    assert (0o600, 0o700) == (mode(folder / "key"), mode(folder))
    assert ["key"] == os.listdir(folder)
    assert key != Home(folder.parent / "other").key()


def test_processes_that_race_for_the_key_agree(folder: Path) -> None:
    program = """
import sys
from flyte_jupyter.home import Home
print("ready", flush=True)
sys.stdin.readline()
print(Home(sys.argv[1]).key().hex())
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert [Home(folder).key().hex()] * 6 == keys
    assert ["key"] == os.listdir(folder)


# --- the socket -------------------------------------------------------------------------------------------------------


def test_a_short_path_has_its_socket_inside(folder: Path) -> None:
    short = Path("/s")
    assert short == Home(short).socket.parent


def test_a_long_path_has_its_socket_in_the_temporary_folder(tmp_path: Path) -> None:
    long = [Home(tmp_path / ("x" * 100)), Home(tmp_path / ("y" * 100)), Home(tmp_path / ("ä" * 50))]
    sockets = [home.socket for home in long]
    assert sockets == [home.socket for home in long]
    assert 3 == len(set(sockets))
    private = Path(tempfile.gettempdir()) / f"flyte-jupyter-{os.getuid()}"
    assert {private} == {path.parent for path in sockets}
    assert 0o700 == mode(private)
    assert [True] * 3 == [len(os.fsencode(path)) <= 100 for path in sockets]


def test_the_limit_counts_bytes() -> None:
    room = 100 - len("/" + "/" + Home("/").socket.name)
    assert Path("/" + "x" * room) == Home("/" + "x" * room).socket.parent
    assert Path("/" + "x" * (room + 1)) != Home("/" + "x" * (room + 1)).socket.parent
    assert Path("/" + "ä" * room) != Home("/" + "ä" * room).socket.parent


def test_a_host_that_runs_holds_its_lock(home: Home) -> None:
    assert not home.is_served(home.host)
    with open(home.lock, "w") as lock:
        assert not home.is_served(home.host)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert home.is_served(home.host)
    assert not home.is_served(home.host)


def test_a_private_file_is_whole_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")
    path.chmod(0o644)
    reader = path.open()
    write_privately(path, "after")
    assert ("before", "after") == (reader.read(), path.read_text())
    reader.close()
    assert 0o600 == mode(path)
    assert [path] == list(tmp_path.iterdir())


def test_a_private_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_privately(tmp_path / "gone" / "a.json", "text")


@pytest.mark.parametrize("name", ["near", "far" * 40])
def test_hosts_are_found_by_their_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "temporary").mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    home = Home(tmp_path / name).make()
    assert [] == home.hosts()
    others = [Home(home.path, "0123abcd"), Home(home.path, "4567abcd")]
    for other in (*others, Home(tmp_path / (name + "2"), "89ababcd").make()):
        other.socket.touch()
    assert [other.host for other in others] == [found.host for found in home.hosts()]
    assert [other.socket for other in others] == [found.socket for found in home.hosts()]
    assert home.host == Home(home.path).host


def test_the_host_that_has_something_of_a_run_open_is_known_by_its_notes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    other = Home(tmp_path, "0123abcd")
    other.open_pods.mkdir()
    (other.open_pods / "r00000000000000-a0").touch()
    assert other.host == home.noted("r00000000000000")
    assert home.noted("r00000000000001") is None
