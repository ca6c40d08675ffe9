"""What can be put on an image, step by step: the `with_...` methods of `Image`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..accept import boolean, optional, text
from ..refusal import wrong_value
from ..values.envvars import env_vars_of
from ..values.secret import SecretRequest
from . import layers, rules
from .layers import InstallMode, Layer, PathLike, Urls

if TYPE_CHECKING:
    from typing_extensions import Self

_MODE = rules.one_of("Image: project_install_mode", "dependencies_only", "install_project")
_STYLE = rules.one_of("Image.with_code_bundle: copy_style", "loaded_modules", "all")


class Layered:
    """Adds layers; each method gives a copy with one more, and refuses all that is wrong with its arguments at once."""

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
        given = rules.checked(
            packages=(rules.words("with_pip_packages"), packages),
            **rules.index(index_url, extra_index_urls, pre, extra_args, secret_mounts),
        )
        return self.with_layer(layers.PipPackages(**given))

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
        given = rules.checked(
            file=(_requirements, file), **rules.index(index_url, extra_index_urls, pre, extra_args, secret_mounts)
        )
        return self.with_layer(layers.Requirements(**given))

    def with_uv_project(
        self,
        pyproject_file: PathLike,
        uvlock: PathLike | None = None,
        index_url: str | None = None,
        extra_index_urls: Urls = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Self:
        """With the dependencies of a uv project, or the project too."""
        given = rules.checked(
            pyproject=(rules.path("Image.with_uv_project: pyproject_file"), pyproject_file),
            uvlock=(optional(rules.path("Image.with_uv_project: uvlock")), uvlock),
            project_install_mode=(_MODE, project_install_mode),
            **rules.index(index_url, extra_index_urls, pre, extra_args, secret_mounts),
        )
        return self.with_layer(layers.UVProject(**given))

    def with_poetry_project(
        self,
        pyproject_file: PathLike,
        poetry_lock: PathLike | None = None,
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Self:
        """With the dependencies of a Poetry project, or the project too."""
        given = rules.checked(
            pyproject=(rules.path("Image.with_poetry_project: pyproject_file"), pyproject_file),
            poetry_lock=(optional(rules.path("Image.with_poetry_project: poetry_lock")), poetry_lock),
            project_install_mode=(_MODE, project_install_mode),
            **rules.installer(extra_args, secret_mounts),
        )
        return self.with_layer(layers.PoetryProject(**given))

    def with_pixi_project(
        self,
        manifest_file: PathLike,
        pixi_lock: PathLike | None = None,
        environment: str = "default",
        extra_args: str | None = None,
        secret_mounts: SecretRequest | None = None,
        project_install_mode: InstallMode = "dependencies_only",
    ) -> Self:
        """With the dependencies of a pixi project, or the project too."""
        given = rules.checked(
            manifest=(rules.path("Image.with_pixi_project: manifest_file"), manifest_file),
            pixi_lock=(optional(rules.path("Image.with_pixi_project: pixi_lock")), pixi_lock),
            environment=(text("Image: environment", empty=False), environment),
            project_install_mode=(_MODE, project_install_mode),
            **rules.installer(extra_args, secret_mounts),
        )
        return self.with_layer(layers.PixiProject(**given))

    def with_apt_packages(self, *packages: str, secret_mounts: SecretRequest | None = None) -> Self:
        """With Debian packages."""
        given = rules.checked(packages=(rules.words("with_apt_packages"), packages), **rules.secrets(secret_mounts))
        return self.with_layer(layers.AptPackages(**given))

    def with_commands(self, commands: str | Sequence[str], secret_mounts: SecretRequest | None = None) -> Self:
        """With what shell commands do."""
        given = rules.checked(commands=(rules.lines("with_commands"), commands), **rules.secrets(secret_mounts))
        return self.with_layer(layers.Commands(**given))

    def with_env_vars(self, env_vars: dict[str, str]) -> Self:
        """With environment variables."""
        env_vars = env_vars_of(env_vars, "Image.with_env_vars")
        return self.with_layer(layers.EnvVars(env_vars=tuple(env_vars.items())))

    def with_workdir(self, workdir: str) -> Self:
        """With a working directory."""
        return self.with_layer(layers.WorkDir(path=text("Image.with_workdir", empty=False)(workdir)))

    def with_source_folder(self, src: PathLike, dst: str = ".", copy_contents_only: bool = False) -> Self:
        """With a folder copied in, or only what is in it."""
        given = rules.checked(
            src=(rules.path("Image.with_source_folder: src"), src),
            dst=(text("Image.with_source_folder: dst"), dst),
            copy_contents_only=(boolean("Image.with_source_folder: copy_contents_only"), copy_contents_only),
        )
        return self.with_layer(layers.SourceFolder(**given))

    def with_source_file(self, src: PathLike | Sequence[PathLike], dst: str = ".") -> Self:
        """With files copied in. Raises ConfigValueError when two have one name."""
        given = rules.checked(
            src=(rules.paths("Image.with_source_file: src"), src), dst=(text("Image.with_source_file: dst"), dst)
        )
        return self.with_layer(layers.SourceFiles(**given))

    def with_code_bundle(self, copy_style: Literal["loaded_modules", "all"] = "loaded_modules", dst: str = ".") -> Self:
        """With the user's code."""
        given = rules.checked(copy_style=(_STYLE, copy_style), dst=(text("Image.with_code_bundle: dst"), dst))
        return self.with_layer(layers.CodeBundle(**given))

    def with_dockerignore(self, path: PathLike) -> Self:
        """With a .dockerignore file that filters the copied folders."""
        return self.with_layer(layers.DockerIgnore(path=rules.path("Image.with_dockerignore")(path)))


def _requirements(value: object) -> Path:
    file: Path = rules.path("Image.with_requirements: file")(value)
    if file.suffix != ".txt":
        raise wrong_value("Image.with_requirements", str(file), "a file ending in .txt")
    return file
