"""Keeps the values of secrets, as far as they are known where a task is called, out of what is stored of the call."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from ..credentials.mask import Mask
from ..pack.call import Packed
from ..pack.suspects import check_given
from ..pods import PodRequest


class Screen:
    """What this process knows of secrets.

    Args:
        known: their names and values.

    Attributes:
        mask: takes the values out of text.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self._known = set(known)
        self.mask = Mask(value for _, value in self._known)

    def __repr__(self) -> str:
        return f"<Screen {self.mask!r}>"

    def learn(self, known: Iterable[tuple[str, str]]) -> None:
        """Know these too; what was known before stays so, also when a secret has another value now."""
        self._known.update(known)
        self.mask = Mask(value for _, value in self._known)

    def check(self, pod: PodRequest, given: Packed) -> None:
        """Refuse a call that is given the value of a secret. Raises CaptureError, naming it."""
        if not self._known:
            return
        options = json.dumps([dict(pod.labels), dict(pod.options), dict(pod.env)]).encode()
        check_given(pod.task, "inputs", given.parts, self._known)
        check_given(pod.task, "options", [options], self._known)
        check_given(pod.task, "pod_template", [json.dumps(pod.template, default=str).encode()], self._known)

    def masked(self, pod: PodRequest) -> PodRequest:
        """The pod, with links that show no value."""
        return replace(pod, links=self.mask.within(pod.links)) if self.mask and pod.links else pod
