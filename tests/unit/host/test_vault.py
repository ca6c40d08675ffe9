"""Who has which value, and what is handed out of it."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.errors import HostError
from flyte_jupyter.home import Home
from flyte_jupyter.host import mounts, vault
from flyte_jupyter.host.mounts import SecretFiles, in_memory, show
from flyte_jupyter.host.vault import Vault
from flyte_jupyter.pods import PodRequest, SecretRef

PLAIN = SecretRef("api-key", "db", "DB_API_KEY", False)
OTHER = SecretRef("api-key", "db", "OTHER", False)
FILE = SecretRef("cert.pem", "tls", None, True)


def pod(*secrets: SecretRef, session: str = "s1") -> PodRequest:
    labels = {"session": session}
    return PodRequest(
        run="r1", action="a0", task="e.t", title="t", store="file:///s", python="python", labels=labels, secrets=secrets
    )


@pytest.fixture
def files(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SecretFiles:
    monkeypatch.setattr(mounts, "in_memory", lambda: tmp_path)
    return SecretFiles(home)


@pytest.fixture
def here(files: SecretFiles) -> Vault:
    return Vault(files, lambda session: False)


# --- values


def test_a_value_is_of_one_kernel_and_of_one_place_in_the_task(here: Vault) -> None:
    here.take("s1", [[*PLAIN, "one"]])
    assert "one" == here.find("s1", PLAIN, None)
    assert here.find("s1", OTHER, None) is None
    assert here.find("s2", PLAIN, None) is None
    assert [OTHER] == here.unknown("s1", [PLAIN, OTHER], None)


def test_what_the_kernels_user_gave_counts_more_and_for_all_places(here: Vault) -> None:
    here.take("s1", [[*PLAIN, "found"]], [["db", "api-key", "given"]])
    assert ["given", "given"] == [here.find("s1", ref, None) for ref in (PLAIN, OTHER)]
    here.take("s1", [[*PLAIN, "found later"]], None)  # a task's process says nothing of what was given
    assert "given" == here.find("s1", PLAIN, None)
    here.take("s1", [[*PLAIN, None]], [])
    assert [PLAIN, OTHER] == here.unknown("s1", [PLAIN, OTHER], None)


def test_the_environment_of_the_kernel_stands_in(here: Vault) -> None:
    environ = {"DB_API_KEY": "from there", "EMPTY": ""}
    assert ["from there"] * 2 == [here.find("s1", ref, environ) for ref in (PLAIN, OTHER)]
    assert here.find("s1", SecretRef("empty", None, "EMPTY", False), environ) is None
    assert "***" == here.mask("s1")("from there")


def test_values_that_were_known_once_stay_masked(here: Vault) -> None:
    here.take("s1", [[*PLAIN, "old value"]])
    here.take("s1", [[*PLAIN, "new value"]])
    here.take("s1", [[*PLAIN, None]], [])
    assert "*** *** other" == here.mask("s1")("old value new value other")
    assert "old value" == here.mask("s2")("old value")
    assert "value" not in repr(here)[:-len(" values]>")]  # fmt: skip


def test_waiting_ends_when_the_kernel_says_it(here: Vault) -> None:
    async def story() -> None:
        waiting = asyncio.ensure_future(here.until_known("s1", [PLAIN, FILE], {}, "/"))
        for ref in (PLAIN, FILE):
            await asyncio.sleep(0)
            assert not waiting.done()
            here.take("s1", [[*ref, "value"]])
        await asyncio.wait_for(waiting, 10)

    asyncio.run(story())


def test_waiting_ends_when_the_kernel_is_gone_or_patience_is(
    monkeypatch: pytest.MonkeyPatch, here: Vault, files: SecretFiles, tmp_path: Path
) -> None:
    monkeypatch.setattr(vault, "keyring", lambda secret: None)
    asyncio.run(asyncio.wait_for(Vault(files, lambda session: True).until_known("s1", [PLAIN], {}, str(tmp_path)), 10))
    monkeypatch.setattr(vault, "_PATIENCE", 0.01)
    asyncio.run(asyncio.wait_for(here.until_known("s1", [PLAIN], {}, str(tmp_path)), 10))
    assert [PLAIN] == here.unknown("s1", [PLAIN], {})


def test_when_the_kernel_is_gone_the_vault_looks_where_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, files: SecretFiles, tmp_path: Path
) -> None:
    def in_keyring(secret: Secret) -> str | None:
        if secret.key == "broken":
            raise ConnectionError("no bus")
        return "from the keyring" if secret.key == "cert.pem" else None

    monkeypatch.setattr(vault, "keyring", in_keyring)
    (tmp_path / ".env").write_text("DB_API_KEY=from the file\n")
    here, broken = Vault(files, lambda session: True), SecretRef("broken", None, "BROKEN", False)
    asyncio.run(asyncio.wait_for(here.until_known("s1", [PLAIN, FILE, broken], {}, str(tmp_path)), 10))
    assert ["from the file", "from the keyring", None] == [here.find("s1", ref, {}) for ref in (PLAIN, FILE, broken)]


# --- what an attempt gets


def test_an_attempt_gets_what_it_names_and_nothing_else(here: Vault) -> None:
    here.take("s1", [[*PLAIN, "one"], [*OTHER, "two"], [*FILE, "three\nlines\n"]])
    assert {"env": {}, "folder": None, "values": []} == here.hand_out(pod(), "p-0", {})
    got = here.hand_out(pod(PLAIN, FILE), f"{pod().name}-2", {})
    assert {"DB_API_KEY": "one"} == got["env"]
    assert [("db/api-key", "one"), ("tls/cert.pem", "three\nlines\n")] == got["values"]
    folder = Path(got["folder"])
    assert b"three\nlines\n" == (folder / "tls" / "cert.pem").read_bytes()
    assert "r1-a0-2" == folder.name
    assert [0o700, 0o700, 0o400] == [
        stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, folder / "tls" / "cert.pem")
    ]
    here.take_back(got)
    assert not folder.parent.exists()


def test_what_was_forgotten_meanwhile_is_not_handed_out_as_nothing(here: Vault) -> None:
    with pytest.raises(HostError, match="the value of 'db/api-key' has been forgotten meanwhile"):
        here.hand_out(pod(PLAIN), "p-0", {})


def test_bytes_that_are_no_text_are_the_same_in_a_file(files: SecretFiles) -> None:
    folder = files.write("r1-a0-0", {"a": os.fsdecode(b"\xff\xfe"), "b": "ä\r\n"})
    assert [b"\xff\xfe", "ä\r\n".encode()] == [(folder / name).read_bytes() for name in ("a", "b")]


def test_a_new_host_removes_what_another_has_left(files: SecretFiles, home: Home) -> None:
    folder = files.write("r1-a0-0", {"a": "x"})
    SecretFiles(home)
    assert not folder.exists()


def test_a_folder_of_somebody_else_is_not_used(files: SecretFiles, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"flyte-jupyter-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match="is not a folder of yours"):
        files.write("r1-a0-0", {"a": "x"})
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_files_are_kept_in_memory_where_that_is_possible(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc")  # nobody can write there
    kinds = {line.split()[1]: line.split()[2] for line in Path("/proc/self/mounts").read_text().splitlines()}
    if kinds.get("/dev/shm") == "tmpfs":
        assert Path("/dev/shm") == in_memory()
    monkeypatch.setattr(mounts, "_is_in_memory", lambda path: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert tmp_path == in_memory()


def test_only_root_is_shown_them_where_flyte_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    assert "/some/folder" == show("/some/folder")


def test_where_that_cannot_be_done_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.makedirs", refuse)
    assert "/some/folder" == show("/some/folder")
    expected = (
        "/etc/flyte/secrets cannot be made here (Operation not permitted); this task's secrets are in /some/folder"
    )
    assert expected in capsys.readouterr().err
