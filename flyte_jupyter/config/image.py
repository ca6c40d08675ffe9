"""Image: what a task's container is made of.  A record; nothing is built, read or looked up here.

Source of the names and of what is refused: Flyte 2.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import image_layers as layers
from .image_layers import Layer, PathLike, Urls
from .image_steps import Layered
from .plain import plain
from .refusal import wrong_type, wrong_value
from .secret import Secret, SecretRequest

if TYPE_CHECKING:
    from typing_extensions import Self

Architecture: TypeAlias = Literal["linux/amd64", "linux/arm64"]

_BOTH: tuple[Architecture, ...] = ("linux/amd64", "linux/arm64")
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
        return f"Image({', '.join(f'{name}={value!r}' for name, value in self._told().items())})"

    def _repr_html_(self) -> str:
        from .show import image

        return image(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        from .show import pretty

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
        version = _version(python_version)
        return _new(
            base_image=_debian(version),
            python_version=version,
            install_flyte=install_flyte,
            flyte_version=flyte_version,
            registry=registry,
            registry_secret=_secret(registry_secret),
            name=name or "flyte",
            platform=_platform(platform, _BOTH),
            extendable=True,
        )

    @classmethod
    def from_base(cls, image_uri: str) -> Image:
        """An image as it is; to add layers, `clone(name=..., extendable=True)` it first."""
        if not isinstance(image_uri, str):
            raise wrong_type("Image.from_base", image_uri, "the URI of an image, a str")
        return _new(base_image=image_uri)

    @classmethod
    def from_ref_name(cls, name: str = "default") -> Image:
        """The image that the platform's configuration has under `name`."""
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
        return _new(dockerfile=Path(file), registry=registry, name=name, platform=_platform(platform))

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
        layer = layers.UVScript(
            script=Path(script),
            secret_mounts=layers.to_secrets(secret_mounts),
            **layers.index_of(index_url, extra_index_urls, pre, extra_args),
        )
        return _scripted(layer, name, registry, registry_secret, python_version, platform)

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
        layer = layers.PixiScript(
            script=Path(script),
            environment=environment,
            extra_args=extra_args,
            secret_mounts=layers.to_secrets(secret_mounts),
        )
        return _scripted(layer, name, registry, registry_secret, None, platform)

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
        given: dict[str, Any] = {
            "registry": registry,
            "registry_secret": _secret(registry_secret),
            "name": name,
            "base_image": base_image,
            "python_version": python_version and _version(python_version),
            "extendable": extendable,
            "platform": platform and _platform(platform),
        }
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
            ConfigValueError: the image is not extendable, or has no name.
        """
        if not self.extendable:
            hint = 'clone(name="...", extendable=True) it first'
            raise wrong_value("Image: layer", type(layer).__name__, "layers on an image that is extendable", hint)
        if not self.name:
            raise wrong_value(
                "Image: layer", type(layer).__name__, "layers on an image with a name", 'clone(name="...") it first'
            )
        return replace(self, made_by=_MAKING, layers=(*self.layers, layer), recipe=None)


def _new(**fields: Any) -> Image:
    return Image(made_by=_MAKING, **fields)


def _make(fields: dict[str, Any]) -> Image:
    return _new(**fields)


def _debian(version: tuple[int, int]) -> str:
    return f"python:{version[0]}.{version[1]}-slim-bookworm"


def _scripted(
    layer: Layer,
    name: str,
    registry: str | None,
    registry_secret: str | Secret | None,
    python_version: tuple[int, int] | None,
    platform: Architecture | tuple[Architecture, ...] | None,
) -> Image:
    version = _version(python_version)
    return _new(
        base_image=_debian(version),
        python_version=version,
        registry=registry,
        registry_secret=_secret(registry_secret),
        name=name,
        platform=_platform(platform, _BOTH),
        extendable=True,
    ).with_layer(layer)


def _version(value: Any) -> tuple[int, int]:
    if value is None:
        return (sys.version_info.major, sys.version_info.minor)
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, int) for part in value):
        return value
    raise wrong_type("Image: python_version", value, "a tuple such as (3, 12)")


def _platform(value: Any, default: tuple[Architecture, ...] = ("linux/amd64",)) -> tuple[Architecture, ...]:
    if value is None:
        return default
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[return-value]


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value
