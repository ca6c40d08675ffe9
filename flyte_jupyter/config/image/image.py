"""Image: what a task's container is made of.  A record; nothing is built, read or looked up here.

Source of the names and of what is refused: Flyte 2.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...errors import ImageFileError
from ..accept import boolean, optional, text
from ..plain import plain
from ..refusal import warn, wrong_type, wrong_value
from ..values.secret import Secret, SecretRequest
from . import layers, rules
from .layers import Layer, PathLike, Urls
from .rules import Architecture
from .steps import Layered

if TYPE_CHECKING:
    from typing_extensions import Self

_REGISTRY = "FLYTE_IMAGE_REGISTRY"
"""The environment variable that says where images are pushed to, as in Flyte."""
_MAKING = object()


@dataclass(frozen=True)
class Image(Layered):
    """An image; made by one of the `from_...` constructors, and by `with_...` from another.

    Attributes:
        base_image: the image that it starts from; None when a Dockerfile or a reference says.
        dockerfile: the Dockerfile that makes it.
        registry: where a built image is pushed to.
        name: the name of a built image.
        platform: the architectures.
        python_version: major and minor.
        extendable: whether layers may be added.
        ref_name: the name of an image that the platform's configuration knows.
        install_flyte: whether this package is put into a Debian base.
        flyte_version: which version of it.
        registry_secret: the secret to pull and push with.
        layers: what is put on the base, in order.
        recipe: digest of what it comes to on this machine, once that is computed; "" for nothing.
    """

    base_image: str | None = None
    dockerfile: Path | None = None
    registry: str | None = None
    name: str | None = None
    platform: tuple[Architecture, ...] = ("linux/amd64",)
    python_version: tuple[int, int] = (sys.version_info.major, sys.version_info.minor)
    extendable: bool = False
    ref_name: str | None = None
    install_flyte: bool = False
    flyte_version: str | None = None
    registry_secret: Secret | None = None
    layers: tuple[Layer, ...] = ()
    recipe: str | None = field(default=None, compare=False)
    made_by: Any = None

    def __post_init__(self) -> None:
        if self.made_by is not _MAKING:
            raise wrong_type(
                "Image", self.base_image, "Image.from_base(...), Image.from_debian_base() and the other from_..."
            )
        object.__setattr__(self, "made_by", None)

    def __repr__(self) -> str:
        from .repr import calls

        return calls(self)

    def _repr_html_(self) -> str:
        from ..show import image

        return image(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        from ..show import pretty

        pretty(self, printer)

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, ({**self._told(), "recipe": self.recipe},)

    def __deepcopy__(self, _: Any) -> Image:
        return self

    def _told(self) -> dict[str, Any]:
        """The fields that differ from their default, without credentials in URLs."""
        given = {
            name: getattr(self, name)
            for name, f in self.__dataclass_fields__.items()
            if f.compare and getattr(self, name) != f.default
        }
        if self.layers:
            given["layers"] = tuple(layers.without_credentials(layer) for layer in self.layers)
        return given

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain data."""
        return {"type": "Image"} | {name: plain(value) for name, value in self._told().items()}

    @property
    def uri(self) -> str:
        """Its name on a registry: `[registry/]name:tag`, with the tag of its files as they are now; or the image that
        it starts from, when nothing is to be built.

        Raises:
            ImageFileError: a file that is missing or cannot be used, or the image has no name of its own.
        """
        if self.base_image is not None and self == type(self).from_base(self.base_image):
            return self.base_image
        if not self.name or (self.ref_name is not None and self == type(self).from_ref_name(self.ref_name)):
            what = f"Image: {self!r} has no URI of its own"
            if self.ref_name is not None:
                raise ImageFileError(f"{what}\n  the platform's configuration knows it as {self.ref_name!r}")
            raise ImageFileError(f"{what}\n  give it a name: clone(name=...)")
        from .tag import tag

        return f"{self.registry}/{self.name}:{tag(self)}" if self.registry else f"{self.name}:{tag(self)}"

    @property
    def key(self) -> str:
        """Of what it says: the same wherever it has travelled. What is in its files does not count."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:32]

    def validate(self) -> None:
        """Look whether the files that it names are there and can be used.

        Raises:
            ImageFileError: some are not; all of them in one error.
        """
        from .tag import contents

        contents(self)

    @classmethod
    def of(cls, value: Any) -> Image | Literal["auto"]:
        """An Image, a URI, or "auto" for the environment of the one who calls. Raises ConfigTypeError."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return "auto" if value == "auto" else cls.from_base(value)
        raise wrong_type("image", value, '"auto", the URI of an image, or Image.from_...()')

    def in_words(self) -> str:
        """What it starts from, and what is put on it."""
        start = self.base_image or self.dockerfile or self.ref_name
        return " + ".join([str(start), *(layer.in_words() for layer in self.layers)])

    # --- constructors

    @classmethod
    def from_debian_base(
        cls,
        python_version: tuple[int, int] | None = None,
        flyte_version: str | None = None,
        install_flyte: bool = True,
        registry: str | None = None,
        registry_secret: str | Secret | None = None,
        name: str | None = None,
        platform: Architecture | tuple[Architecture, ...] | None = None,
    ) -> Image:
        """A slim Debian with Python (default: the running version) and this package; takes layers."""
        given = rules.checked(
            python_version=(rules.version, python_version or sys.version_info[:2]),
            install_flyte=(boolean("Image: install_flyte"), install_flyte),
            flyte_version=(optional(text("Image: flyte_version")), flyte_version),
            registry=(optional(rules.registry), registry or os.environ.get(_REGISTRY)),
            registry_secret=(optional(rules.secret), registry_secret),
            name=(rules.name, "flyte" if name is None else name),
            platform=(rules.platform, rules.BOTH if platform is None else platform),
        )
        return _new(base_image=_debian(given["python_version"]), extendable=True, **given)

    @classmethod
    def from_base(cls, image_uri: str) -> Image:
        """An image as it is; to add layers, `clone(name=..., extendable=True)` it first."""
        return _new(base_image=rules.uri("Image.from_base", image_uri))

    @classmethod
    def from_ref_name(cls, name: str = "default") -> Image:
        """The image that the platform's configuration has under `name`."""
        name = text("Image.from_ref_name: name", empty=False)(name)
        return _new(name=name, ref_name=name)

    @classmethod
    def from_dockerfile(
        cls,
        file: PathLike,
        registry: str,
        name: str,
        platform: Architecture | tuple[Architecture, ...] | None = None,
    ) -> Image:
        """What a Dockerfile makes; takes no layers."""
        return _new(
            **rules.checked(
                dockerfile=(rules.path("Image.from_dockerfile: file"), file),
                registry=(rules.registry, registry),
                name=(rules.name, name),
                platform=(rules.platform, "linux/amd64" if platform is None else platform),
            )
        )

    @classmethod
    def from_uv_script(
        cls,
        script: PathLike,
        *,
        name: str,
        registry: str | None = None,
        registry_secret: str | Secret | None = None,
        python_version: tuple[int, int] | None = None,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        platform: Architecture | tuple[Architecture, ...] | None = None,
        secret_mounts: SecretRequest | None = None,
    ) -> Image:
        """A Debian base with the packages that a script names in its header (PEP 723)."""
        given = rules.checked(
            script=(rules.path("Image.from_uv_script: script"), script),
            name=(rules.name, name),
            **rules.index(index_url, extra_index_urls, pre, extra_args, secret_mounts),
        )
        # a script says itself whether it needs this package
        image = cls.from_debian_base(
            python_version, None, False, registry, registry_secret, given.pop("name"), platform
        )
        return image.with_layer(layers.UVScript(**given))

    @classmethod
    def from_pixi_script(
        cls,
        script: PathLike,
        *,
        name: str,
        registry: str | None = None,
        registry_secret: str | Secret | None = None,
        environment: str = "default",
        extra_args: str | None = None,
        platform: Architecture | tuple[Architecture, ...] | None = None,
        secret_mounts: SecretRequest | None = None,
    ) -> Image:
        """A Debian base with the packages that a script names for pixi in its header."""
        given = rules.checked(
            script=(rules.path("Image.from_pixi_script: script"), script),
            name=(rules.name, name),
            environment=(text("Image: environment", empty=False), environment),
            **rules.installer(extra_args, secret_mounts),
        )
        image = cls.from_debian_base(None, None, False, registry, registry_secret, given.pop("name"), platform)
        return image.with_layer(layers.PixiScript(**given))

    @classmethod
    def from_notebook(
        cls,
        name: str = "notebook",
        *,
        registry: str | None = None,
        registry_secret: str | Secret | None = None,
        platform: Architecture | tuple[Architecture, ...] | None = None,
    ) -> Image:
        """A Debian base with the packages that are installed where this runs, in their versions, and its Python.

        What no index has (editable folders, files of this machine) is left out, with a warning that names it.
        """
        from .notebook_packages import contradictions, requirements

        packages, differences = requirements()
        if contradicting := contradictions():
            differences.append(
                f"dependencies are not resolved, since packages contradict each other: {contradicting[0]}"
            )
        for difference in differences:
            warn(f"Image.from_notebook: {difference}")
        base = cls.from_debian_base(name=name, registry=registry, registry_secret=registry_secret, platform=platform)
        return base.with_pip_packages(*packages, extra_args="--no-deps" if contradicting else None)

    def clone(
        self,
        registry: str | None = None,
        registry_secret: str | Secret | None = None,
        name: str | None = None,
        base_image: str | None = None,
        python_version: tuple[int, int] | None = None,
        addl_layer: Layer | None = None,
        extendable: bool | None = None,
        platform: Architecture | tuple[Architecture, ...] | None = None,
    ) -> Image:
        """A copy with what is given replaced, and perhaps one more layer.

        Raises:
            ConfigValueError: a layer for an image that is not extendable or has no name.
        """
        given = rules.checked(
            registry=(optional(rules.registry), registry),
            registry_secret=(optional(rules.secret), registry_secret),
            name=(optional(rules.name), name),
            base_image=(optional(lambda value: rules.uri("Image.clone: base_image", value)), base_image),
            python_version=(optional(rules.version), python_version),
            extendable=(optional(boolean("Image.clone: extendable")), extendable),
            platform=(optional(rules.platform), platform),
        )
        changed = replace(
            self, made_by=_MAKING, recipe=None, **{key: value for key, value in given.items() if value is not None}
        )
        return changed if addl_layer is None else changed.with_layer(addl_layer)

    def with_recipe(self, digest: str) -> Self:
        """A copy that knows what it comes to on this machine."""
        return replace(self, made_by=_MAKING, recipe=digest)

    def with_layer(self, layer: Layer) -> Self:
        """A copy with one more layer.

        Raises:
            ConfigValueError: the image is not extendable, is made by a Dockerfile, or has no name.
        """
        if not self.extendable:
            hint = 'clone(name="...", extendable=True) it first'
            raise wrong_value("Image: layer", type(layer).__name__, "layers on an image that is extendable", hint)
        if self.dockerfile is not None:
            allowed = "layers on an image without a Dockerfile"
            raise wrong_value("Image: layer", type(layer).__name__, allowed, f"write it into {self.dockerfile}")
        if not self.name:
            allowed, hint = "layers on an image with a name", 'clone(name="...") it first'
            raise wrong_value("Image: layer", type(layer).__name__, allowed, hint)
        return replace(self, made_by=_MAKING, layers=(*self.layers, layer), recipe=None)


def key_of(image: Image | Literal["auto"]) -> str:
    """`Image.key`; "auto" for the environment of the one who calls."""
    return image if isinstance(image, str) else image.key


def _new(**fields: Any) -> Image:
    return Image(made_by=_MAKING, **fields)


def _make(fields: dict[str, Any]) -> Image:
    return _new(**fields)


def _debian(version: tuple[int, int]) -> str:
    return f"python:{version[0]}.{version[1]}-slim-bookworm"
