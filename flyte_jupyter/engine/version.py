"""Versions: which results of a task are of the same code, as far as the policies of its cache say."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigValueError
from ..pack.reach import Part, Reach, interface_text, reach
from ..pack.surroundings import surroundings
from ..task import Task

if TYPE_CHECKING:
    from ..config.image.image import Image
    from ..config.values.cache import CachePolicy


@dataclass(frozen=True)
class VersionParameters:
    """What a policy is given (Flyte's names).

    Attributes:
        func: the task's function; image: what it runs in.
        code_bundle: None here: there are no bundles.
    """

    func: Callable[..., Any]
    image: Image | str
    code_bundle: None = None
    task: Task[..., Any] | None = None

    @functools.cached_property
    def reach(self) -> Reach:
        """What the function reaches, and the plugin of its task."""
        return reach(self.func if self.task is None or type(self.task) is Task else self.task)


class FunctionBodyPolicy:
    """The default: everything that the function reaches counts, and not its own body alone as in Flyte."""

    def get_version(self, salt: str, params: Any) -> str:
        """Digest of the function, of what it uses, of what that uses, and so on."""
        found = params.reach if isinstance(params, VersionParameters) else reach(params.func)
        return _digest(found.digest, salt)

    def __repr__(self) -> str:
        return "FunctionBodyPolicy()"


_DEFAULT = (FunctionBodyPolicy(),)


@dataclass(frozen=True)
class Version:
    """The version of a task, and what it is made of, so that two can be compared.

    Attributes:
        digest: of all that follows; part of the keys of its results.
        told: what else than code makes it, in words or digests by name: its types, a version that was given, the salt,
            what policies said, Python, the image and the environment variables.
        parts: the code, as far as it counts.
        unknown: what of it cannot be told; then nothing is kept.
        is_sure: see `Reach`.
    """

    digest: str
    told: Mapping[str, str]
    parts: Mapping[str, Part] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    is_sure: bool = True


def version_of(task: Task[..., Any], env_vars: Mapping[str, str]) -> Version:
    """The version of a task whose cache is enabled.

    Args:
        env_vars: of the run, laid over those of the task.

    Raises:
        ConfigValueError: a policy fails, or the image cannot be made here.
        RecursionError: what the task reaches is nested too deep.
    """
    cache = task.cache
    told = {"types": interface_text(task.interface), "Python": ".".join(map(str, sys.version_info[:2]))}
    if cache.version_override is not None:
        told["version_override"] = cache.version_override
        return Version(_digest(*told.values()), told)
    params = VersionParameters(task.func, task.image, task=task)
    policies: tuple[CachePolicy, ...] = tuple(cache.policies or _DEFAULT)  # type: ignore[arg-type]  # a tuple by now
    said = [_ask(policy, cache.salt, params) for policy in policies]
    version = _digest("".join(said))  # as in Flyte
    if cache.salt:
        told["salt"] = _digest(cache.salt)
    counts_code = any(type(policy) is FunctionBodyPolicy for policy in policies)
    for policy, text in zip(policies, said, strict=True):
        if type(policy) is not FunctionBodyPolicy:
            told[type(policy).__name__] = _digest(text)
    if not counts_code:
        return Version(_digest(*told.values(), version), told)
    told |= surroundings(task, env_vars)
    found = params.reach
    digest = _digest(*(f"{name}={text}" for name, text in told.items()), version)
    return Version(digest, told, found.parts, found.unknown, found.is_sure)


def _ask(policy: CachePolicy, salt: str, params: VersionParameters) -> str:
    try:
        return str(policy.get_version(salt, params))
    except RecursionError:
        raise
    except Exception as error:
        raise ConfigValueError(
            f"Failed to generate version for cache policy {policy!r}: {type(error).__name__}: {error}"
        ) from error


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
