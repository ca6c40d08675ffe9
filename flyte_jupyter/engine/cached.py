"""What the cache says of a call: the result that was kept, or why the task runs and where its result will be kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import context
from ..config.values.duration import rough_duration, seconds
from ..pack.envelope import Envelope, PayloadError
from ..pack.modules import is_place
from ..pack.outcome import unseal_kept
from ..pack.preview import describe
from ..pack.reach import Reach, reach
from ..store import Store, cached, keys
from .differences import told_apart
from .version import Version, version_of

if TYPE_CHECKING:
    from ..task import Task
    from .options import RunOptions


@dataclass(frozen=True)
class Answer:
    """What the cache says of one call.

    Attributes:
        reason: for people: where the result is from, or why the task runs.
        key: where its result is, or will be kept; "" when it is not kept.
        found: the result, verified and not unpickled; None when the task has to run.
        about: what is to be told of a new result.
        since: a result that somebody keeps from now on will do: seconds since the epoch; None when it will not.
    """

    reason: str
    key: str = ""
    found: Envelope | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    since: float | None = None


def ask(
    store: Store,
    key: bytes,
    task: Task[..., Any],
    inputs: Mapping[str, Any],
    options: RunOptions,
    version: Version | None = None,
) -> Answer | None:
    """Ask the cache for the result of a call; None when the task is not cached.

    Args:
        key: signs every payload.
        inputs: as `Interface.bind` gives them, with defaults filled in.
        version: of the task, when it is known already.

    Raises:
        ConfigValueError: a policy fails, or the image cannot be made here.
    """
    if not task.cache.is_enabled():
        return None
    if options.disable_run_cache:
        return Answer("it is switched off for this run (disable_run_cache)")
    now = time.time()
    try:
        version = version or version_of(task, options.env_vars)
        given = {name: reach(value) for name, value in inputs.items() if name not in task.cache.ignored_inputs}
    except RecursionError:
        return Answer("what the task uses is nested too deep to be compared, so its results are not stored")
    question = _Question(task, version, given)
    found, reason = None, _told_to_run(task, options)
    if reason is None:
        found, reason = _look_up(store, key, question)
    if found is not None:
        return Answer(reason or "", question.key, found)
    unstable = _unstable(task, inputs, options, question)
    if unstable is not None:
        return Answer(f"{unstable}, so its results are not stored")
    said = {name: describe(value, 80) for name, value in inputs.items()}
    about = {"task": task.name, **question.told(), "said": said}
    since = now if task.cache.serialize and _told_to_run(task, options) is None else None
    return Answer(reason or question.why(store), question.key, about=about, since=since)


def _told_to_run(task: Task[..., Any], options: RunOptions) -> str | None:
    if options.overwrite_cache:
        return "overwrite_cache=True: what is stored is replaced"
    if task.cache.behavior == "override":
        return 'cache="override": what is stored is replaced'
    return None


def _look_up(store: Store, key: bytes, question: _Question) -> tuple[Envelope | None, str | None]:
    """The result and where it is from; without one why it is not used, None when there is none."""
    try:
        found = unseal_kept(key, store.get(question.key), entry=question.key)
    except KeyError:
        return None, None
    except PayloadError as error:
        return None, f"what is stored cannot be used: {str(error).splitlines()[0]}"
    about, limit = found.header["about"], question.task.cache.max_age
    age = max(0.0, time.time() - about["created"])
    if limit and age > seconds(limit):
        return None, f"expired: stored {rough_duration(age)} ago, max_age is {rough_duration(seconds(limit))}"
    return found, f"stored {rough_duration(age)} ago by run {about['run']}"


def _unstable(task: Task[..., Any], inputs: Mapping[str, Any], options: RunOptions, question: _Question) -> str | None:
    """What would never be found again; looked for before a process is started, which takes longer."""
    version = question.version
    if version.unknown:
        return f"{version.unknown[0]} has no stable hash"
    if not version.is_sure:
        again = version_of(task, options.env_vars)
        for name, part in again.parts.items():
            if name in version.parts and version.parts[name].digest != part.digest:
                return f"{name} has no stable hash: it looks different each time"
    for name, found in question.given.items():
        if found.unknown:
            return f"input `{name}` has no stable hash: {found.unknown[0]}"
        if not found.is_sure and reach(inputs[name]).digest != found.digest:
            return f"input `{name}` has no stable hash: it looks different each time"
    return None


class _Question:
    """A call as the cache sees it."""

    def __init__(self, task: Task[..., Any], version: Version, given: Mapping[str, Reach]) -> None:
        self.task = task
        self.version = version
        self.given = given
        digests = "\0".join(f"{name}\0{found.digest}" for name, found in sorted(given.items()))
        self._inputs = hashlib.sha256(digests.encode()).hexdigest()[:32]
        self.key = keys.cached(task.name, self._inputs, version.digest)

    def told(self) -> dict[str, Any]:
        """What it is made of, as digests, for comparing it with another one."""
        return {
            "version": dict(self.version.told),
            "parts": {name: part.digest for name, part in self.version.parts.items()},
            "inputs": {name: dict(_digests(found)) for name, found in self.given.items()},
        }

    def why(self, store: Store) -> str:
        """Why there is no result for it: what is different from the last one for the same inputs, or from the last."""
        name = self.task.name
        before = cached.last_for(store, name, self._inputs) or cached.last_of(store, name)
        if before is None:
            return "nothing is stored yet"
        places = {name: (_called(part.file), part.line) for found in self._all() for name, part in found.items()}
        try:
            return told_apart(before, self.told(), places)
        except (LookupError, TypeError, AttributeError):
            return "what is told of the last result cannot be read"

    def _all(self) -> Iterator[Mapping[str, Any]]:
        yield from (found.parts for found in self.given.values())
        yield self.version.parts


def _called(file: str) -> str:
    """A file as Python names it in a traceback, a cell by its number: the reason is for people, and is kept."""
    names = (cell_of(file) for cell_of in context.cell_of)
    return next(filter(None, names), f'File "{file}"' if is_place(file) else "")


def _digests(found: Reach) -> Iterator[tuple[str, str]]:
    yield "", found.own
    yield from ((name, part.digest) for name, part in found.parts.items())
