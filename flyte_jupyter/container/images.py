"""The images of a cluster: which one a task runs in there, and that it is on the registry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
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
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._wanted: dict[str, Wanted] = {}
        self._values: dict[Secret, str] = {}
        self._there: set[str] = set()
        self._again: set[str] = set()

    def __repr__(self) -> str:
        return f"<Images of {self._cluster.registry or 'no registry'} [{len(self._there)} seen]>"

    def wanted(self, image: Image | Literal["auto"]) -> Wanted:
        """What an image comes to, from its files as they are now; nothing is started, no registry is asked.

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
        if image.ref_name is not None:
            named = self._named(image.ref_name)
            if not image.layers:
                return Wanted(named, title)
            image = image.clone(base_image=named)
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
        base = self._cluster.base_image.replace("{python}", "{}.{}".format(*image.python_version))
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
        wanted = Wanted(str(reference), title, plan, reference, image.registry_secret)
        self._wanted[wanted.uri] = wanted
        return wanted

    # --- having them

    def is_there(self, uri: str) -> bool:
        """Whether there is nothing to be done for it: it was seen, or is none of ours."""
        return uri not in self._wanted or uri in self._there

    def provide(self, uris: Iterable[str]) -> None:
        """Find the values of the secrets that images are made with, as far as these are not there; may ask the person.

        Raises:
            MissingSecretError: some have none. ConfigValueError: the registry does not answer.
        """
        from ..credentials.resolve import resolve

        absent = [self._wanted[uri] for uri in uris if not self.is_there(uri)]
        needs = {
            (secret, f"the image {wanted.title}"): None
            for wanted in absent
            for secret in wanted.secrets
            if secret not in self._values and not self._is_seen(wanted)
        }
        if needs:
            self._values |= {secret: found.value for secret, found in resolve(list(needs), asking=True).items()}

    def again(self, uri: str) -> None:
        """Have it built anew the next time, also when it is there."""
        self._there.discard(uri)
        self._again.add(uri)

    def have(self, uri: str, tell: Progress, started: Callable[[Build], None] = lambda _: None) -> None:
        """See that an image is on the registry: quick when it has been seen there, else it is built and pushed.

        Args:
            started: is given a build before it runs, so that somebody can stop it.

        Raises:
            ConfigValueError: the registry does not answer, or there is no builder here.
            ImageBuildError: a step has failed; the message has its last lines.
        """
        if self.is_there(uri):
            return
        wanted = self._wanted[uri]
        assert wanted.plan is not None
        assert wanted.reference is not None
        tell.step(f"looking for it on {wanted.reference.host}")
        if not self._is_seen(wanted):
            given = {secret.build_variable: self._values[secret] for secret in wanted.plan.secrets}
            environ = {**os.environ, **known}
            builder, login = find(self._cluster.builder), self._login(wanted)
            build = Build(wanted.plan, wanted.reference, builder, environ=environ, secrets=given, login=login)
            started(build)
            build(tell)
            self._there.add(uri)
            self._again.discard(uri)

    def _is_seen(self, wanted: Wanted) -> bool:
        if wanted.uri in self._again or wanted.reference is None:
            return False
        if registry.exists(wanted.reference, os.environ, self._login(wanted)):
            self._there.add(wanted.uri)
        return wanted.uri in self._there

    def _login(self, wanted: Wanted) -> str:
        """What is known of how to log in; it need not be, to ask a registry for an image."""
        return self._values.get(wanted.secret, "") if wanted.secret is not None else ""
