"""From the names of secrets to their values, before anything starts; what has none is told all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config.values.secret import Secret
from ..errors import ConfigError, MissingSecretError
from . import keychain, providers
from .memory import memory
from .prompt import prompt
from .providers import Provider, Unavailable


@dataclass(frozen=True)
class Found:
    """A value, and the name of the provider that had it. Its repr does not show the value."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"<Found in {self.source}>"


def sources() -> Iterator[Provider]:
    """Who is asked for a value, in order; nobody of flesh and blood."""
    yield Provider("what this kernel was given", memory)
    yield Provider("the environment", providers.environment)
    yield Provider("the .env file", providers.dotenv)
    yield from providers.own()
    yield Provider("the keyring", keychain.keyring)


def find(secret: Secret) -> tuple[Found | None, dict[str, str]]:
    """The value of a secret, if any has one, and the reasons of those that could not be asked, by name.

    Raises:
        ConfigError: a provider failed.
    """
    unavailable: dict[str, str] = {}
    for source in sources():
        try:
            value = source.find(secret)
        except Unavailable as reason:
            unavailable[source.name] = str(reason)
            continue
        except Exception as error:
            raise ConfigError(
                f"secret {secret.title!r}: {source.name} failed with {type(error).__name__}: {error}\n"
                "  nothing was started; mend it, or give the value with "
                f"{call('flyte.secrets.set', secret)}"
            ) from error
        if value is not None and not isinstance(value, str):
            raise ConfigError(
                f"secret {secret.title!r}: {source.name} has a {type(value).__name__} for it, and not a str"
            )
        if value and "\0" in value:
            raise ConfigError(f"secret {secret.title!r}: what {source.name} has for it holds a null character")
        if value:
            return Found(value, source.name), unavailable
    return None, unavailable


def resolve(needs: Collection[tuple[Secret, str]], *, asking: bool) -> dict[Secret, Found]:
    """The values of secrets.

    Args:
        needs: each secret with the name of what needs it.
        asking: whether the person who is there may be asked for what nobody else has.

    Raises:
        MissingSecretError: some have no value, all of them named, with the places that were looked in.
        ConfigError: a provider failed.
    """
    found: dict[Secret, Found] = {}
    missing: dict[Secret, set[str]] = {}
    reasons: dict[str, str] = {}
    for secret, user in sorted(needs, key=lambda need: (need[0].title, need[0].as_env_var or "", need[1])):
        if secret in found:
            continue
        if secret in missing:
            missing[secret].add(user)
            continue
        value, unavailable = find(secret)
        reasons.update(unavailable)
        if value is None and asking:
            try:
                answer = prompt(secret, f"for {user}")
            except Unavailable as reason:
                reasons["you"] = str(reason)
            else:
                value = Found(answer, "you") if answer else None
        if value is not None:
            found[secret] = value
        else:
            missing[secret] = {user}
    if missing:
        raise MissingSecretError(_missing(missing, reasons))
    return found


def call(function: str, secret: Secret) -> str:
    """The text of a call with a secret."""
    group = f", group={secret.group!r}" if secret.group else ""
    return f"{function}({secret.key!r}{group})"


def _missing(missing: dict[Secret, set[str]], reasons: dict[str, str]) -> str:
    count = "A secret has" if len(missing) == 1 else f"{len(missing)} secrets have"
    lines = [f"{count} no value; nothing was started"]
    for secret, users in missing.items():
        names = " or ".join(providers.variables(secret))
        as_variable = f"; as a variable: {names}" if names else ""
        lines.append(f"  {secret.title!r}, needed by {', '.join(sorted(users))}{as_variable}")
    looked = [f"{source.name}{_because(source.name, reasons)}" for source in sources()]
    lines.append(f"  looked in: {', '.join(looked)}")
    if "you" in reasons:
        lines.append(f"  {reasons['you']}")
    first = next(iter(missing))
    variable = next(iter(providers.variables(first)), None)
    line = f"a line {variable}=... in {Path.cwd() / providers.DOTENV}, " if variable else ""
    lines.append(
        f"  give it with {call('flyte.secrets.set', first)}, which asks for it, {line}"
        f"or: keyring set {keychain.SERVICE} {first.title}"
    )
    return "\n".join(lines)


def _because(name: str, reasons: dict[str, str]) -> str:
    if name == "the .env file" and not providers.dotenv_files(Path.cwd()):
        return " (there is none)"
    return f" ({reasons[name]})" if name in reasons else ""
