"""The system's keyring, and those that are none."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import keyring
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest
from keyring.backend import KeyringBackend
from keyrings.alt.file import EncryptedKeyring, PlaintextKeyring

from flyte_jupyter.config.values.secret import Secret
from flyte_jupyter.credentials import keychain
from flyte_jupyter.credentials.keychain import keyring as ask
from flyte_jupyter.credentials.providers import Unavailable
from tests.conftest import eventually


class Safe(KeyringBackend):
    """A keyring of this process."""

    priority = 1  # type: ignore[assignment]  # keyring's own are classproperties

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class Locked(Safe):
    """One whose user does not unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("the collection is locked")


class Stuck(Safe):
    """One that waits for somebody, and nobody is there."""

    def __init__(self) -> None:
        super().__init__()
        self.somebody = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.somebody.wait(60)
        return None


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_values_are_kept_under_our_service_by_group_and_key() -> None:
    safe = Safe()
    keyring.set_keyring(safe)
    assert ask(Secret("token")) is None
    keyring.set_password("flyte_jupyter", "token", "one")
    keyring.set_password("flyte_jupyter", "db/token", "two")
    assert ("one", "two") == (ask(Secret("token")), ask(Secret("token", "db")))


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_without_a_keyring_it_is_said(backend: type[KeyringBackend]) -> None:
    keyring.set_keyring(backend())
    with pytest.raises(Unavailable, match="none is set up on this system"):
        ask(Secret("token"))


class OwnPlain(PlaintextKeyring):
    """One under another name."""


def test_plain_text_is_never_used(tmp_path: object) -> None:
    plain = OwnPlain()
    plain.file_path = str(tmp_path) + "/keyring.cfg"
    keyring.set_keyring(plain)
    keyring.set_password("flyte_jupyter", "token", "for everybody to read")
    with pytest.raises(Unavailable, match=r"not used: .*OwnPlain keeps passwords as plain text"):
        ask(Secret("token"))


def test_what_would_ask_on_the_terminal_is_not_used() -> None:
    keyring.set_keyring(object.__new__(EncryptedKeyring))  # it needs a library that is not there, and never gets to it
    with pytest.raises(Unavailable, match=r"not used: keyrings.alt.file.EncryptedKeyring is no keyring of the system"):
        ask(Secret("token"))


def test_in_a_chain_plain_text_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    safe, plain = Safe(), OwnPlain()
    plain.file_path = str(tmp_path) + "/keyring.cfg"
    plain.set_password("flyte_jupyter", "token", "for everybody to read")
    chain = keyring.backends.chainer.ChainerBackend()
    monkeypatch.setattr(type(chain), "backends", [plain, keyring.backends.fail.Keyring(), safe])
    keyring.set_keyring(chain)
    assert ask(Secret("token")) is None
    safe.set_password("flyte_jupyter", "token", "safe")
    assert "safe" == ask(Secret("token"))


def test_a_locked_keyring_is_told() -> None:
    keyring.set_keyring(Locked())
    with pytest.raises(Unavailable, match="KeyringLocked: the collection is locked"):
        ask(Secret("token"))


def test_a_keyring_that_waits_for_somebody_does_not_hold_us_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    keyring.set_keyring(stuck)
    monkeypatch.setattr(keychain, "_PATIENCE", 0.05)
    with pytest.raises(Unavailable, match=r"no answer within 0\.05 s"):
        ask(Secret("token"))
    monkeypatch.setattr(keychain, "_PATIENCE", 60.0)
    with pytest.raises(Unavailable, match="not answered an earlier question yet"):
        ask(Secret("token"))
    stuck.somebody.set()
    eventually(lambda: not any(thread.is_alive() for thread in keychain._stuck))
    assert ask(Secret("token")) is None


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(Unavailable, match=r"pip install .flyte_jupyter\[keyring\]"):
        ask(Secret("token"))
