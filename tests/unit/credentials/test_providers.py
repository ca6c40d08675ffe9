"""Where values are looked for, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import keyring
import keyring.backends.null
import pytest

from flyte_jupyter.config.values.secret import MOUNT, Secret
from flyte_jupyter.credentials import memory, providers
from flyte_jupyter.credentials.providers import Provider, dotenv, dotenv_files, environment, variables
from flyte_jupyter.credentials.resolve import find, resolve, sources
from flyte_jupyter.errors import ConfigError, MissingSecretError


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a folder without a `.env`, with nothing remembered or added, and a keyring that is empty."""
    monkeypatch.chdir(tmp_path)
    memory.remembered.clear()
    monkeypatch.setattr(providers, "added", {})
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.null.Keyring())
    yield
    keyring.set_keyring(before)
    memory.remembered.clear()


def needs(*secrets: Secret) -> list[tuple[Secret, str]]:
    return [(secret, "my_env.train") for secret in secrets]


# --- the environment


def test_the_variable_of_the_task_comes_before_the_one_made_of_group_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("api-key", "db", as_env_var="TOKEN")
    assert ["TOKEN", "DB_API_KEY"] == variables(secret)
    monkeypatch.setenv("DB_API_KEY", "second")
    assert "second" == environment(secret)
    monkeypatch.setenv("TOKEN", "first")
    assert "first" == environment(secret)


def test_a_mounted_secret_has_a_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_API_KEY", "value")
    assert "value" == environment(Secret("api-key", "db", mount=MOUNT))  # type: ignore[arg-type]  # as in Flyte
    assert [] == variables(Secret("a.b", mount=MOUNT))  # type: ignore[arg-type]


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "")
    assert environment(Secret("token")) is None


# --- .env


def test_a_dotenv_file_of_the_working_folder_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nexport TOKEN='a b # c'\nOTHER=\"two\\nlines\"\nEMPTY=\nREF=${HOME}\n")
    assert "a b # c" == dotenv(Secret("token"))
    assert "two\nlines" == dotenv(Secret("other"))
    assert dotenv(Secret("empty")) is None
    assert "${HOME}" == dotenv(Secret("ref"))
    path.write_text("TOKEN=new")
    assert "new" == dotenv(Secret("token"))


def test_folders_above_are_looked_in_as_far_as_the_project_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = tmp_path / "project" / "notebooks" / "deep"
    notebooks.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "project", notebooks):
        (folder / ".env").write_text(f"{folder.name.upper().replace('-', '_')}=here\nTOKEN={folder.name}")
    assert [notebooks / ".env"] == dotenv_files(notebooks)
    (tmp_path / "project" / ".git").mkdir()
    assert [notebooks / ".env", tmp_path / "project" / ".env"] == dotenv_files(notebooks)
    monkeypatch.chdir(notebooks)
    assert "deep" == dotenv(Secret("token"))
    assert "here" == dotenv(Secret("project"))


# --- the order, and what one adds


def test_the_order_of_those_who_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("token")
    assert find(secret)[0] is None
    providers.added["the safe"] = Provider("the safe", lambda s: f"safe of {s.title}")
    assert ("safe of token", "the safe") == found(secret)
    (tmp_path / ".env").write_text("TOKEN=dotenv")
    assert ("dotenv", "the .env file") == found(secret)
    monkeypatch.setenv("TOKEN", "from-env")
    assert ("from-env", "the environment") == found(secret)
    memory.remembered[None, "token"] = "from-me"
    assert ("from-me", "what this kernel was given") == found(secret)
    assert "the keyring" == [source.name for source in sources()][-1]


def found(secret: Secret) -> tuple[str, str]:
    value = find(secret)[0]
    assert value is not None
    assert value.value not in repr(value)
    return value.value, value.source


def test_packages_bring_providers_as_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("the vault", "tests.unit.credentials.vault_of_ours:find", providers.ENTRY_POINTS)
    monkeypatch.setattr(providers, "_installed", lambda: (Provider(point.name, providers._Loading(point)),))
    with pytest.raises(ConfigError, match="the vault failed with ModuleNotFoundError"):
        find(Secret("token"))
    real = metadata.EntryPoint("the vault", "posixpath:basename", providers.ENTRY_POINTS)
    assert "token" == providers._Loading(real)("a/token")  # type: ignore[arg-type]  # any function of one argument does


def test_a_provider_that_fails_is_an_error_that_names_it() -> None:
    def broken(secret: Secret) -> str | None:
        raise ConnectionError("no network")

    providers.added["the safe"] = Provider("the safe", broken)
    with pytest.raises(ConfigError) as caught:
        resolve(needs(Secret("token")), asking=True)
    expected = [
        "secret 'token': the safe failed with ConnectionError: no network",
        "  nothing was started; mend it, or give the value with flyte.secrets.set('token')",
    ]
    assert expected == str(caught.value).splitlines()


def test_a_provider_gives_text() -> None:
    providers.added["the safe"] = Provider("the safe", lambda s: b"bytes")  # type: ignore[arg-type,return-value]
    with pytest.raises(ConfigError, match="the safe has a bytes for it, and not a str"):
        resolve(needs(Secret("token")), asking=False)


def test_what_no_variable_can_hold_is_refused() -> None:
    providers.added["the safe"] = Provider("the safe", lambda s: "a\0b")
    with pytest.raises(ConfigError, match="what the safe has for it holds a null character"):
        resolve(needs(Secret("token")), asking=False)


# --- what nobody has


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingSecretError) as caught:
        resolve(
            [*needs(Secret("token"), Secret("api-key", "db", as_env_var="KEY")), (Secret("token"), "my_env.load")],
            asking=True,
        )
    text = str(caught.value)
    assert text.startswith("2 secrets have no value; nothing was started")
    assert "'token', needed by my_env.load, my_env.train; as a variable: TOKEN" in text
    assert "'db/api-key', needed by my_env.train; as a variable: KEY or DB_API_KEY" in text
    assert "the .env file (there is none)" in text
    assert "the keyring (none is set up on this system)" in text
    assert "not asked for: there is no terminal" in text
    assert "flyte.secrets.set('api-key', group='db')" in text
    assert str(tmp_path / ".env") in text


def test_outside_a_kernel_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda words: pytest.fail("asked"))
    with pytest.raises(MissingSecretError):
        resolve(needs(Secret("token")), asking=True)


def test_at_a_terminal_one_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(words: str) -> str:
        asked.append(words)
        return "typed"

    monkeypatch.setattr("getpass.getpass", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for _ in range(2):
        values = resolve(needs(Secret("api-key", "db")), asking=True)
        assert ["typed"] == [each.value for each in values.values()]
    assert ['Secret "api-key" of group "db" for my_env.train (kept in memory only): '] == asked
    with pytest.raises(MissingSecretError):
        resolve(needs(Secret("other")), asking=False)
    monkeypatch.setattr("getpass.getpass", lambda words: "")
    with pytest.raises(MissingSecretError):
        resolve(needs(Secret("other")), asking=True)
