"""Pods that wait for their images: these are built where the run was started, one after the other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...container.build import Build, Progress
from ...container.images import Images
from ...errors import ConfigError, ImageBuildError
from ...host.lifecycle import aborted
from ...pods import Failure, Phase, PodEvent, PodRequest

_ENDING = 10.0
"""Seconds that a build has, to end when nobody waits for it any more."""
_LEFT = "The kernel ended while it built the image: images are built where the run was started."


@dataclass
class _Waiting:
    """One image and those who wait for it.

    Attributes:
        pods: by name; step: what is done now; build: to be stopped, None while there is none.
    """

    thread: threading.Thread | None = None
    pods: dict[str, PodRequest] = field(default_factory=dict)
    step: str = ""
    build: Build | None = None


class Building:
    """Launches pods as soon as their images are on the registry. Any thread may call it.

    Args:
        images: of the cluster; launch: starts a pod whose image is there, and raises when it is not accepted.
        tell: takes news of a pod that is not started yet; end: writes down and tells what has become of one.
    """

    def __init__(
        self,
        images: Images,
        launch: Callable[[PodRequest], None],
        tell: Callable[[PodEvent], None],
        end: Callable[[PodRequest, Failure], None],
    ) -> None:
        self._images = images
        self._launch = launch
        self._tell = tell
        self._end = end
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def __repr__(self) -> str:
        return f"<Building [{len(self._waiting)} images]>"

    def provide(self, pod: PodRequest) -> None:
        """Find the secrets that its images are made with, where these are not there; may ask the person.

        Raises:
            MissingSecretError: some have no value. ConfigValueError: the registry does not answer.
        """
        self._images.provide(uris(pod))

    def launch(self, pod: PodRequest) -> None:
        """Launch a pod now, or when its images are there; one that waits already is left alone."""
        uri = next((uri for uri in uris(pod) if not self._images.is_there(uri)), None)
        if uri is None:
            self._launch(pod)
            return
        with self._lock:
            waiting = self._waiting.get(uri)
            if waiting is None:
                waiting = self._waiting[uri] = _Waiting()
                waiting.thread = threading.Thread(
                    target=self._have, args=(uri, waiting), name="flyte-jupyter-image", daemon=True
                )
                waiting.thread.start()
            waiting.pods[pod.name] = pod
        if waiting.step:
            self._tell(_event(pod, waiting.step))

    def again(self, uri: str) -> None:
        """Have an image built anew the next time that a pod needs it."""
        self._images.again(uri)

    def stop(self, name: str, reason: str) -> bool:
        """End a pod that waits; whether there was one. What nobody waits for is not built any further."""
        with self._lock:
            found = [waiting for waiting in self._waiting.values() if name in waiting.pods]
            pods = [waiting.pods.pop(name) for waiting in found]
            idle = [waiting.build for waiting in found if waiting.build is not None and not waiting.pods]
        for build in idle:
            build.stop()
        for pod in pods:
            self._end(pod, aborted(reason))
        return bool(pods)

    def events(self, labels: Mapping[str, str]) -> list[PodEvent]:
        """How those stand that wait and have these labels."""
        with self._lock:
            return [
                _event(pod, waiting.step)
                for waiting in self._waiting.values()
                for pod in waiting.pods.values()
                if labels.items() <= pod.labels.items()
            ]

    def close(self) -> None:
        """Stop what is built, and end who waits for it: nothing has been started for them."""
        with self._lock:
            open_ones = list(self._waiting.values())
            pods = [pod for waiting in open_ones for pod in waiting.pods.values()]
            for waiting in open_ones:
                waiting.pods.clear()
        for waiting in open_ones:
            if waiting.build is not None:
                waiting.build.stop()
        for pod in pods:
            with contextlib.suppress(ConfigError, OSError):  # a store that is not reached: then it is as if killed
                self._end(pod, aborted(_LEFT))
        for waiting in open_ones:
            if waiting.thread is not None and waiting.thread is not threading.current_thread():
                waiting.thread.join(_ENDING)

    # --- the thread of an image

    def _have(self, uri: str, waiting: _Waiting) -> None:
        failure: Failure | None = None

        def step(what: str) -> None:
            waiting.step = what
            for pod in list(waiting.pods.values()):
                self._tell(_event(pod, what))

        def started(build: Build) -> None:
            with self._lock:
                waiting.build = build
                is_wanted = bool(waiting.pods)
            if not is_wanted:
                build.stop()

        try:
            self._images.have(uri, Progress(step, lambda _: None), started)
        except Exception as error:  # whatever it is, those who wait are told
            failure = _failure(error)
        while True:
            with self._lock:  # one at a time: the others can still be stopped
                if not waiting.pods:
                    del self._waiting[uri]
                    return
                pod = waiting.pods.pop(next(iter(waiting.pods)))
            self._go_on(pod, failure)

    def _go_on(self, pod: PodRequest, failure: Failure | None) -> None:
        if failure is None:
            try:
                self.launch(pod)  # it may need another one
            except Exception as error:  # nobody else would hear of it
                failure = Failure(code="NotStartedError", kind="system", message=f"It was not started: {error}")
        if failure is not None:
            self._end(pod, failure)


def uris(pod: PodRequest) -> list[str]:
    """The images that have to be there before a pod starts: its own, and those of all tasks that it can call."""
    built = (pod.cluster or {}).get("built", {})
    return list(dict.fromkeys((pod.image_uri, *built.values())))


def _event(pod: PodRequest, step: str) -> PodEvent:
    return pod.event(Phase.INITIALIZING, at=time.time(), step="image", reason=f"image: {step or 'it is looked for'}")


def _failure(error: Exception) -> Failure:
    if isinstance(error, (ConfigError, ImageBuildError)):
        return Failure(code="ImageBuildError", kind="user", message=str(error), recoverable=False)
    return Failure(code="ImageBuildError", kind="system", message=f"{type(error).__name__}: {error}", recoverable=False)
