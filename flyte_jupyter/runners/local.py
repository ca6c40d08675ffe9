"""The local Host as a runner."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..config.image import index_url
from ..credentials.memory import remembered
from ..errors import ConfigValueError, HostError
from ..home import Home
from ..host.client import call, connect, connect_or_start
from ..host.wire import Channel
from ..pods import Event, PodEvent, PodRequest, SecretRef, Synced
from .watches import Watches


class LocalRunner:
    """Talks to this user's Host, and starts it when it is needed.

    Args:
        home: whose Host.
        session: name of the kernel whose environment variables and secrets the attempts start with.
        in_task: whether another process is that kernel, which says its environment variables itself.
    """

    def __init__(self, home: Home, session: str | None, *, in_task: bool = False) -> None:
        self._home = home
        self._session = session
        self._in_task = in_task
        self._channel: Channel | None = None
        self._environ: dict[str, str] | None = None
        self._secrets: dict[SecretRef, str] = {}
        self._told: dict[str, Any] | None = None
        self._watches = Watches()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        state = "connected" if self._channel is not None else "not connected"
        return f"<LocalRunner {self._home.path} [{state}, {len(self._watches)} watches]>"

    def prepare(self) -> None:
        """Have the Host and its zygote ready before they are needed."""
        self.ask({"op": "prepare", "python": sys.executable})

    def rebuild(self, image: str) -> None:
        self.ask({"op": "rebuild", "key": image})

    @property
    def nothing_left(self) -> str:
        return "It is not open any more and has left no outcome: it was not accepted, or its files are gone."

    def missing(self, pod: PodRequest) -> list[str]:
        told: list[str] = self.ask({"op": "missing", "pod": pod.to_json()})["missing"]
        return told

    def launch(self, pod: PodRequest) -> None:
        self.ask({"op": "launch", "pod": pod.to_json()})

    def deploy(
        self,
        triggers: Sequence[Mapping[str, Any]],
        tasks: Sequence[str],
        session: str,
        secrets: Mapping[SecretRef, str],
    ) -> None:
        """Have the Host fire these triggers, as JSON, and no others of these tasks.

        Args:
            session: under which the environment of this process, and secrets, are kept for their runs.
        """
        values = [(*ref, value) for ref, value in secrets.items()]
        new = {"triggers": triggers, "tasks": tasks, "session": session, "secrets": values}
        self.ask({"op": "deploy", "environ": _environ(), **new})

    def triggers(self) -> list[dict[str, Any]]:
        """What the Host knows of the triggers of this user, as JSON."""
        found: list[dict[str, Any]] = self.ask({"op": "triggers"})["triggers"]
        return found

    def change_trigger(self, id: str, do: str) -> None:
        """Do "activate", "deactivate" or "delete" with one."""
        self.ask({"op": "trigger", "id": id, "do": do})

    def entrust(self, values: Mapping[SecretRef, str]) -> None:
        """The values of secrets: the Host has them before what is launched next, and another Host has them again."""
        self._secrets = {**self._secrets, **values}

    def forget(self, key: str, group: str | None) -> None:
        """Let neither this client nor the Host, if there is one, have a value of that secret any more."""
        gone = [ref for ref in self._secrets if (ref.key, ref.group) == (key, group)]
        self._secrets = {ref: value for ref, value in self._secrets.items() if ref not in gone}
        channel = connect(self._home)
        if channel is not None:
            with contextlib.closing(channel), contextlib.suppress(BrokenPipeError, ConnectionResetError):
                channel.send(self._to_tell(gone))
                channel.receive()

    def unknown(self, secrets: Sequence[SecretRef]) -> list[SecretRef]:
        """Those of which the Host has no value."""
        answer = self.ask({"op": "unknown", "session": self._session, "secrets": secrets})
        return [SecretRef(*secret) for secret in answer["secrets"]]

    def stop(self, name: str, *, reason: str = "", grace: float = 2.0) -> None:
        for _ in range(2):  # once more when the Host has just gone away: another one may go on with the pod
            channel = connect(self._home)
            if channel is None:
                if not (self._home.open_pods / name).exists():
                    return  # no Host goes on with it
                channel = connect_or_start(self._home)
            with contextlib.closing(channel), contextlib.suppress(BrokenPipeError, ConnectionResetError):
                channel.send({"op": "stop", "name": name, "reason": reason, "grace": grace})
                if channel.receive() is not None:
                    return
        raise HostError(f"The local Host does not answer; its log is {self._home.log}.")

    def tell(self, event: PodEvent, labels: Mapping[str, str]) -> None:
        message = {"op": "tell", "event": event.to_json(), "labels": dict(labels)}
        with contextlib.suppress(HostError, OSError):  # it is news: what counts is in the store
            if self._channel is not None or self._in_task:
                self.ask(message)
            else:
                call(self._home, message)  # no Host is started for that: without one nobody watches

    def watch(self, labels: Mapping[str, str]) -> Iterator[Event | Synced]:
        channel = connect_or_start(self._home)
        messages = [self._to_tell(), {"op": "watch", "labels": dict(labels)}]
        if not self._in_task:  # a Host that goes on after another one has died does not know it
            messages.insert(0, self._environment(_environ()))
        yield from self._watches.events(channel, *messages)

    def close(self) -> None:
        self._watches.close()
        with self._lock:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def _environment(self, environ: dict[str, str]) -> dict[str, Any]:
        return {"op": "environ", "session": self._session, "environ": environ, "process": os.getpid()}

    def _to_tell(self, gone: Sequence[SecretRef] = ()) -> dict[str, Any]:
        """What the Host is to know of secrets: those that were found, and all that were given in this kernel."""
        found = [(*ref, value) for ref, value in self._secrets.items()]
        given = None if self._in_task else [(*name, value) for name, value in remembered.copy().items()]
        values = [*found, *((*ref, None) for ref in gone)]
        return {"op": "secrets", "session": self._session, "values": values, "given": given}

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Ask the Host; once more when it has just gone away, as it does when it is idle.

        Raises:
            HostError: it refuses, or does not answer.
            ConfigValueError: what this user has written down for it is wrong.
        """
        with self._lock:
            answer = self._exchange(message) or self._exchange(message)
        if answer is None:
            raise HostError(f"The local Host does not answer; its log is {self._home.log}.")
        if answer["op"] == "wrong":
            raise ConfigValueError(answer["reason"])
        if answer["op"] == "refused":
            raise HostError(f"The local Host refused: {answer['reason']}.")
        return answer

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None when the Host has gone away. A channel without its answer is not used again."""
        answer = None
        try:
            channel = self._connected()
            channel.send(message)
            answer = channel.receive()
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:  # also after Ctrl-C: the next one would get this one's answer
            if answer is None and self._channel is not None:
                self._channel.close()
                self._channel = None
        return answer

    def _connected(self) -> Channel:
        if self._channel is None:
            self._channel = connect_or_start(self._home)
            self._environ = self._told = None
        environ = _environ()
        if not self._in_task and self._environ != environ:
            self._environ = environ
            self._tell(self._environment(environ))
        secrets = self._to_tell()
        if (secrets["values"] or secrets["given"] or self._told) and self._told != secrets:
            self._told = secrets
            self._tell(secrets)
        return self._channel

    def _tell(self, message: dict[str, Any]) -> None:
        if self._channel is not None:
            self._channel.send(message)
            self._channel.receive()


def _environ() -> dict[str, str]:
    """What attempts start with, and what builds of images need to know."""
    return {**os.environ, **index_url.known}
