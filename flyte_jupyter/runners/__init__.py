"""Clients of whatever starts processes or pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from ..pods import Event, PodEvent, PodRequest, Synced


class Runner(Protocol):
    """Starts pods, watches and stops them; `tests/contract/test_runner.py` is the contract. Any thread may call it."""

    @property
    def nothing_left(self) -> str:
        """Why one that is not open any more may have left no outcome, for people."""
        ...

    def missing(self, pod: PodRequest) -> list[str]:
        """What a pod asks for that is not here, or not done here, each in a line for people; nothing is started.

        Raises `ConfigValueError` when the settings of its queue are wrong, or no such pod can be; `MissingSecretError`
        when the place for it has not the secrets that it needs.
        """
        ...

    def launch(self, pod: PodRequest) -> None:
        """Accept a pod for running; once this returns, it will end, whatever happens to the caller.

        One that is there already is left alone. Raises `HostError` when it cannot be accepted, `ConfigValueError` when
        its call is more than can be passed on.
        """
        ...

    def watch(self, labels: Mapping[str, str]) -> Iterator[Event | Synced]:
        """What happens to the open pods with these labels: first where they stand, then `Synced`, then the news.

        What nobody but the pods themselves can say, such as what they have printed so far, may come right after
        `Synced`. A phase is told again when there is more to say of it, an end once.

        When the other side goes away the iterator ends, unless it finds that again by itself. Watching again brings
        everything that is still open.
        """
        ...

    def stop(self, name: str, *, reason: str = "", grace: float = 2.0) -> None:
        """End a pod and what it has called: asked politely, killed after `grace` seconds, or the next whole second.

        Its end is told when nothing of it runs any more. Not there is fine.
        """
        ...

    def rebuild(self, image: str) -> None:
        """Have an image made anew the next time that it is used: the key of its virtual environment, or its URI."""
        ...

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None:
        """Pass on news of an action that a task has called and that no process runs, to those who watch these labels
        now; in a cluster, to those who watch the pod of that task.
        """
        ...

    def close(self) -> None:
        """Let go of connections; watches end. Pods run on."""
        ...
