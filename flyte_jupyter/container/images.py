"""The images of a cluster: which one a task runs in there, and that it is on the registry."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..config.cluster import Cluster
from ..config.image.image import Image
from ..config.image.index_url import known
from ..config.refusal import did_you_mean, wrong_value
from ..config.values.secret import Secret
from ..errors import ConfigValueError
from . import index, registry
from .build import Build, Progress
from .builders import find
from .dockerfile import Plan, plan_of
from .reference import Reference

DEFAULT_NAME = "flyte"


@dataclass(frozen=True)
class Wanted:
    """What a task is to run in.

    Attributes:
        uri: for the cluster; title: for people.
        plan: how it is made, None for one that is taken as it is; secret: to log in to the registry with.
    """

    uri: str
    title: str
    plan: Plan | None = None
    reference: Reference | None = None
    secret: Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that have to have values before it is made."""
        own = (self.secret,) if self.secret is not None else ()
        return (*own, *(self.plan.secrets if self.plan is not None else ()))


class Images:
    """The images of one cluster; any thread may ask for them.

    Args:
        cluster: says from which base, by which builder, to which registry.
        values: finds the values of secrets; raises when one has none.
    """

    def __init__(self, cluster: Cluster, values: Callable[[tuple[Secret, ...]], Mapping[Secret, str]]) -> None:
        self._cluster = cluster
        self._values = values
        self._there: set[str] = set()
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def __repr__(self) -> str:
        return f"<Images of {self._cluster.registry or 'no registry'} [{len(self._there)} seen]>"

    def wanted(self, image: Image | Literal["auto"]) -> Wanted:
        """What an image comes to, from its files as they are now; nothing is started, nobody is asked.

        Raises:
            ConfigValueError: it cannot be built, has another Python, or there is no registry to push it to.
            ImageFileError: files that are missing or cannot be used.
        """
        if image == "auto":
            if self._cluster.image:
                return Wanted(self._cluster.image, "the cluster's default image")
            image, title = Image.from_debian_base(name=DEFAULT_NAME), "the default image"
        else:
            title = image.in_words()
        if image.base_image is not None and image == Image.from_base(image.base_image):
            return Wanted(image.base_image, title)
        if image.ref_name is not None and not image.layers:
            return Wanted(self._named(image.ref_name), title)
        return self._built(image, title)

    def _named(self, name: str) -> str:
        images = self._cluster.images or {}
        if name == "default" and name not in images and self._cluster.image:
            return self._cluster.image
        if name not in images:
            allowed = ", ".join(images) or "none: [kubernetes.images] is empty"
            raise wrong_value("Image.from_ref_name", name, allowed, did_you_mean(name, images))
        return images[name]

    def _built(self, image: Image, title: str) -> Wanted:
        base = self._cluster.base_image.format(python="{}.{}".format(*image.python_version))
        if base and image.base_image == Image.from_debian_base(image.python_version).base_image:
            image = image.clone(base_image=base)
        where = image.registry or self._cluster.registry
        if not where:
            raise ConfigValueError(
                f"image: there is no registry to push {title} to, from which the cluster would pull it\n"
                '  name one: registry = "HOST/PATH" under [kubernetes] in the settings, or in the image\n'
                '  or name an image that is on a registry: image = "..." under [kubernetes]'
            )
        plan = plan_of(image, settings=index.choices(os.environ), credentials=known, platform=self._cluster.platform)
        reference = Reference.of(where, image.name or DEFAULT_NAME, plan.digest)
        return Wanted(str(reference), title, plan, reference, image.registry_secret)

    def have(self, wanted: Wanted, tell: Progress, build: Callable[[Build], None] = lambda _: None) -> None:
        """See that an image is on the registry: quick when it has been seen there, else it is built and pushed.

        Args:
            build: is told of a build before it starts, so that somebody can stop it.

        Raises:
            ConfigValueError: the registry does not answer, or there is no builder here.
            ImageBuildError: a step has failed; the message has its last lines.
        """
        if wanted.plan is None or wanted.reference is None or wanted.uri in self._there:
            return
        with self._lock:
            making = self._making.setdefault(wanted.uri, threading.Lock())
        if not making.acquire(blocking=False):
            tell.step("waiting for another task that builds it")
            making.acquire()
        try:
            if wanted.uri not in self._there:
                self._make(wanted, wanted.plan, wanted.reference, tell, build)
                self._there.add(wanted.uri)
        finally:
            making.release()

    def _make(
        self, wanted: Wanted, plan: Plan, reference: Reference, tell: Progress, build: Callable[[Build], None]
    ) -> None:
        values = self._values(wanted.secrets) if wanted.secrets else {}
        login = values[wanted.secret] if wanted.secret is not None else ""
        tell.step(f"asking {reference.host} for it")
        if registry.exists(reference, os.environ, login):
            return
        builder = find(self._cluster.builder)
        given = {secret.build_variable: values[secret] for secret in plan.secrets}
        one = Build(plan, reference, builder, environ={**os.environ, **known}, secrets=given, login=login)
        build(one)
        one(tell)
