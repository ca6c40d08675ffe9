"""Image: what a task's container is made of.  A record; nothing is built, read or looked up here.

Source of the names and of what is refused: Flyte 2.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from . import image_layers as layers
from .envvars import env_vars_of
from .image_layers import InstallMode, Layer, PathLike, Urls
from .plain import plain
from .refusal import wrong_type, wrong_value
from .secret import Secret, SecretRequest

Architecture: TypeAlias = Literal["linux/amd64", "linux/arm64"]

_BOTH: tuple[Architecture, ...] = ("linux/amd64", "linux/arm64")
_MAKING = object()


@dataclass(frozen=True)
class Image:
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
    made_by: Any = None

    def __post_init__(self) -> None:
        if self.made_by is not _MAKING:
            raise wrong_type(
                "Image", self.base_image, "Image.from_base(...), Image.from_debian_base() and the other from_..."
            )
        object.__setattr__(self, "made_by", None)

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name, f in self.__dataclass_fields__.items()
            if getattr(self, name) != f.default
        ]
        return f"Image({', '.join(given)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (tuple((name, getattr(self, name)) for name in self.__dataclass_fields__ if name != "made_by"),)

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain data."""
        return {"type": "Image"} | {
            name: plain(getattr(self, name))
            for name, f in self.__dataclass_fields__.items()
            if getattr(self, name) != f.default
        }

    @classmethod
    def of(cls, value: Any) -> Image | Literal["auto"]:
        """An Image, a URI, or "auto" for the environment of the one who calls. Raises ConfigTypeError."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return "auto" if value == "auto" else cls.from_base(value)
        raise wrong_type("image", value, '"auto", the URI of an image, or Image.from_...()')

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
        changed = replace(self, made_by=_MAKING, **{key: value for key, value in given.items() if value is not None})
        return changed if addl_layer is None else changed.with_layer(addl_layer)

    def with_layer(self, layer: Layer) -> Image:
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
        return replace(self, made_by=_MAKING, layers=(*self.layers, layer))

    # --- layers

    def with_pip_packages(
        self,
        *packages: str,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
    ) -> Image:
        """With packages from an index (PyPI)."""
        index = layers.index_of(index_url, extra_index_urls, pre, extra_args)
        packages = layers.to_words("with_pip_packages", packages)
        return self.with_layer(
            layers.PipPackages(packages=packages, secret_mounts=layers.to_secrets(secret_mounts), **index)
        )

    def with_requirements(
        self,
        file: PathLike,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
    ) -> Image:
        """With the packages of a requirements file. Raises ConfigValueError when it is not a .txt file."""
        if Path(file).suffix != ".txt":
            raise wrong_value("Image.with_requirements", str(file), "a file ending in .txt")
        index = layers.index_of(index_url, extra_index_urls, pre, extra_args)
        return self.with_layer(
            layers.Requirements(file=Path(file), secret_mounts=layers.to_secrets(secret_mounts), **index)
        )

    def with_uv_project(
        self,
        pyproject_file: PathLike,
        uvlock: Path | None = None,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Image:
        """With the dependencies of a uv project, or the project too."""
        return self.with_layer(
            layers.UVProject(
                pyproject=Path(pyproject_file),
                uvlock=layers.to_path(uvlock),
                project_install_mode=layers.to_mode(project_install_mode),
                secret_mounts=layers.to_secrets(secret_mounts),
                **layers.index_of(index_url, extra_index_urls, pre, extra_args),
            )
        )

    def with_poetry_project(
        self,
        pyproject_file: PathLike,
        poetry_lock: Path | None = None,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Image:
        """With the dependencies of a Poetry project, or the project too."""
        return self.with_layer(
            layers.PoetryProject(
                pyproject=Path(pyproject_file),
                poetry_lock=layers.to_path(poetry_lock),
                extra_args=extra_args,
                project_install_mode=layers.to_mode(project_install_mode),
                secret_mounts=layers.to_secrets(secret_mounts),
            )
        )

    def with_pixi_project(
        self,
        manifest_file: PathLike,
        pixi_lock: Path | None = None,
        environment: str = "default",
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Image:
        """With the dependencies of a pixi project, or the project too."""
        return self.with_layer(
            layers.PixiProject(
                manifest=Path(manifest_file),
                pixi_lock=layers.to_path(pixi_lock),
                environment=environment,
                extra_args=extra_args,
                project_install_mode=layers.to_mode(project_install_mode),
                secret_mounts=layers.to_secrets(secret_mounts),
            )
        )

    def with_apt_packages(self, *packages: str, secret_mounts: SecretRequest | None = None) -> Image:
        """With Debian packages."""
        packages = layers.to_words("with_apt_packages", packages)
        return self.with_layer(layers.AptPackages(packages=packages, secret_mounts=layers.to_secrets(secret_mounts)))

    def with_commands(self, commands: str | Sequence[str], secret_mounts: SecretRequest | None = None) -> Image:
        """With what shell commands do."""
        lines = (commands,) if isinstance(commands, str) else layers.to_words("with_commands", tuple(commands))
        return self.with_layer(layers.Commands(commands=lines, secret_mounts=layers.to_secrets(secret_mounts)))

    def with_env_vars(self, env_vars: dict[str, str]) -> Image:
        """With environment variables."""
        env_vars = env_vars_of(env_vars, "Image.with_env_vars")
        return self.with_layer(layers.EnvVars(env_vars=tuple(env_vars.items())))

    def with_workdir(self, workdir: str) -> Image:
        """With a working directory."""
        return self.with_layer(layers.WorkDir(path=str(workdir)))

    def with_source_folder(self, src: PathLike, dst: str = ".", copy_contents_only: bool = False) -> Image:
        """With a folder copied in, or only what is in it."""
        return self.with_layer(layers.SourceFolder(src=Path(src), dst=dst, copy_contents_only=copy_contents_only))

    def with_source_file(self, src: PathLike | Sequence[PathLike], dst: str = ".") -> Image:
        """With files copied in. Raises ConfigValueError when two have one name."""
        files = tuple(Path(file) for file in ((src,) if isinstance(src, (str, Path)) else src))
        names = [file.name for file in files]
        for name in names:
            if names.count(name) > 1:
                raise wrong_value(
                    "Image.with_source_file", name, "each name once", "copy one of them with another dst="
                )
        return self.with_layer(layers.SourceFiles(src=files, dst=dst))

    def with_code_bundle(
        self, copy_style: Literal["loaded_modules", "all"] = "loaded_modules", dst: str = "."
    ) -> Image:
        """With the user's code."""
        if copy_style not in ("loaded_modules", "all"):
            raise wrong_value("Image.with_code_bundle", copy_style, '"loaded_modules" or "all"')
        return self.with_layer(layers.CodeBundle(copy_style=copy_style, dst=dst))

    def with_dockerignore(self, path: PathLike) -> Image:
        """With a .dockerignore file that filters the copied folders."""
        return self.with_layer(layers.DockerIgnore(path=Path(path)))


def _new(**fields: Any) -> Image:
    return Image(made_by=_MAKING, **fields)


def _make(fields: tuple[tuple[str, Any], ...]) -> Image:
    return _new(**dict(fields))


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
