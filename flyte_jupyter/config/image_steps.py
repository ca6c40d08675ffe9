"""What can be put on an image, step by step: the `with_...` methods of `Image`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from . import image_layers as layers
from .envvars import env_vars_of
from .image_layers import InstallMode, Layer, PathLike, Urls
from .refusal import wrong_value
from .secret import SecretRequest

if TYPE_CHECKING:
    from typing_extensions import Self


class Layered:
    """Adds layers; each method gives a copy with one more."""

    def with_layer(self, layer: Layer) -> Self:
        """A copy with one more layer; `Image` says how."""
        raise NotImplementedError

    def with_pip_packages(
        self,
        *packages: str,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
    ) -> Self:
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
    ) -> Self:
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
    ) -> Self:
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
    ) -> Self:
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
    ) -> Self:
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

    def with_apt_packages(self, *packages: str, secret_mounts: SecretRequest | None = None) -> Self:
        """With Debian packages."""
        packages = layers.to_words("with_apt_packages", packages)
        return self.with_layer(layers.AptPackages(packages=packages, secret_mounts=layers.to_secrets(secret_mounts)))

    def with_commands(self, commands: str | Sequence[str], secret_mounts: SecretRequest | None = None) -> Self:
        """With what shell commands do."""
        lines = (commands,) if isinstance(commands, str) else layers.to_words("with_commands", tuple(commands))
        return self.with_layer(layers.Commands(commands=lines, secret_mounts=layers.to_secrets(secret_mounts)))

    def with_env_vars(self, env_vars: dict[str, str]) -> Self:
        """With environment variables."""
        env_vars = env_vars_of(env_vars, "Image.with_env_vars")
        return self.with_layer(layers.EnvVars(env_vars=tuple(env_vars.items())))

    def with_workdir(self, workdir: str) -> Self:
        """With a working directory."""
        return self.with_layer(layers.WorkDir(path=str(workdir)))

    def with_source_folder(self, src: PathLike, dst: str = ".", copy_contents_only: bool = False) -> Self:
        """With a folder copied in, or only what is in it."""
        return self.with_layer(layers.SourceFolder(src=Path(src), dst=dst, copy_contents_only=copy_contents_only))

    def with_source_file(self, src: PathLike | Sequence[PathLike], dst: str = ".") -> Self:
        """With files copied in. Raises ConfigValueError when two have one name."""
        files = tuple(Path(file) for file in ((src,) if isinstance(src, (str, Path)) else src))
        names = [file.name for file in files]
        for name in names:
            if names.count(name) > 1:
                raise wrong_value(
                    "Image.with_source_file", name, "each name once", "copy one of them with another dst="
                )
        return self.with_layer(layers.SourceFiles(src=files, dst=dst))

    def with_code_bundle(self, copy_style: Literal["loaded_modules", "all"] = "loaded_modules", dst: str = ".") -> Self:
        """With the user's code."""
        if copy_style not in ("loaded_modules", "all"):
            raise wrong_value("Image.with_code_bundle", copy_style, '"loaded_modules" or "all"')
        return self.with_layer(layers.CodeBundle(copy_style=copy_style, dst=dst))

    def with_dockerignore(self, path: PathLike) -> Self:
        """With a .dockerignore file that filters the copied folders."""
        return self.with_layer(layers.DockerIgnore(path=Path(path)))
