"""The secrets of this kernel: give them, forget them, see where they come from; their values are never shown.

    flyte.secrets.set("api-key", group="db")      # asks for it, unseen
    flyte.secrets.list()                          # which secrets your tasks need, and who has them

A task names what it needs: `secrets=["token", flyte.Secret("api-key", group="db")]`. When it is run, its value is
looked for in what was given here, the environment of the kernel, a `.env` file beside the notebook, the providers that
you have added, and the system's keyring; what nobody has is asked for.
"""

from __future__ import annotations

import builtins
import re
import sys

from . import context
from .config.refusal import wrong_type
from .config.values.secret import Secret
from .credentials import providers
from .credentials.memory import remembered
from .credentials.prompt import prompt
from .credentials.resolve import call, find
from .credentials.table import Row, SecretTable
from .environment import environments
from .errors import ConfigError, ConfigTypeError, ConfigValueError
from .pack import suspects
from .session import opened


def set(  # noqa: A001 - flyte.secrets.set reads well
    key: str, *, group: str | None = None, value: str | None = None
) -> None:
    """Give a secret its value for as long as this kernel lives; it is kept in memory only.

    Args:
        key, group: as in `flyte.Secret`.
        value: by default it is asked for, so that it does not stand in the notebook.

    Raises:
        ConfigTypeError: a value that is not a str. ConfigValueError: an empty one, one that stands in the text of the
            cell, or nobody can be asked here.
    """
    secret = _secret(key, group)
    if context.ctx():
        raise ConfigValueError("A task cannot give secrets.\nGive them in the notebook, before the run.")
    if value is None:
        try:
            value = prompt(secret)
        except providers.Unavailable as reason:
            raise ConfigValueError(f"flyte.secrets.set({key!r}): {reason}\n  give it with value=") from None
    if not isinstance(value, str) and value is not None:
        raise ConfigTypeError(f"flyte.secrets.set({key!r}, value=...): a str is needed, not {type(value).__name__}")
    if not value:
        raise ConfigValueError(f"flyte.secrets.set({key!r}): no value was given, nothing is changed")
    if value in _cell():
        raise ConfigValueError(
            f"flyte.secrets.set({key!r}): its value stands in this cell, and so in the notebook\n"
            f"  take it out, and write {call('flyte.secrets.set', secret)}: it asks for the value"
        )
    remembered[group or None, key] = value


def forget(key: str, *, group: str | None = None) -> None:
    """Forget what was given with `set` or at a prompt, here and in the Host. What is not known is no error."""
    remembered.pop((group or None, key), None)
    session = opened()
    if session is not None:
        session.runner.forget(key, group or None)


def list() -> SecretTable:  # noqa: A001 - flyte.secrets.list reads well
    """The secrets that the tasks of this kernel need, and those that were given, with where their value would come
    from; nobody is asked for one.
    """
    users: dict[Secret, builtins.set[str]] = {}
    for env in environments().values():
        for task in env.tasks.values():
            for secret in task.secrets:
                users.setdefault(secret, builtins.set()).add(task.name)
    named = {(secret.group or None, secret.key) for secret in users}
    users.update({_secret(key, group): builtins.set() for group, key in remembered if (group, key) not in named})
    return SecretTable(Row(secret, tuple(sorted(users[secret])), _source(secret)) for secret in users)


def add_provider(name: str, find: providers.Find) -> None:
    """Look for secrets in another place too: a password manager, or a cloud's store of secrets.

    It is asked after the environment and `.env`, and before the keyring.

    Args:
        name: as people read it in errors and in `flyte.secrets.list()`; one of the same name is replaced.
        find: takes a `flyte.Secret` and returns its value as a str, or None when it has none.
    """
    if not callable(find):
        raise wrong_type("add_provider: find", find, "a function of a flyte.Secret")
    providers.added[name] = providers.Provider(name, find)


def allow(*names: str) -> None:
    """Say that variables of these names hold nothing secret, though what they hold looks like a credential.

    Tasks are refused that capture something of that kind; from now on, in this kernel, not for these.
    """
    suspects.allowed.update(names)


def _secret(key: str, group: str | None) -> Secret:
    return Secret(key, group, as_env_var="VALUE")  # a key that no variable could be made of may be given too


def _source(secret: Secret) -> str:
    try:
        found, _ = find(secret)
    except ConfigError as error:
        return str(error).splitlines()[0]
    return found.source if found is not None else ""


def _cell() -> builtins.list[str]:
    """The texts in quotes in the cell that is being run."""
    cells = getattr(sys.modules["__main__"], "In", None)
    text = cells[-1] if isinstance(cells, builtins.list) and cells else ""
    return [text for _, text in re.findall(r"""(["'])(.*?)\1""", str(text), re.DOTALL)]
