"""`flyte.build` and `flyte.build_images`: make images now, instead of when their tasks are first called.

A build is a run of a small task in the image, here or in the cluster, as `flyte.init` says: so it has a card with its
progress, and is known to work at its end.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from . import api, session
from .config.image.notebook_packages import packages
from .config.spec import ENV, TASK
from .engine import interrupt
from .engine.images import require_uv
from .engine.run import Run
from .environment import TaskEnvironment, reached
from .errors import ImageFileError
from .interface import Interface
from .pack.image import prepared
from .task import Task

if TYPE_CHECKING:
    from .config.image.image import Image


@dataclass(frozen=True)
class ImageBuild:
    """What comes of building an image (Flyte).

    Attributes:
        uri: of the image, None for the environment of the one who calls.
        remote_run: None: nothing was built elsewhere.
        build_run: the run that has built it, None when nothing was to be built.
    """

    uri: str | None
    remote_run: None = None
    build_run: Run | None = None


@dataclass(frozen=True)
class ImageCache:
    """The images of environments (Flyte).

    Attributes:
        image_lookup: URIs by the names of environments; builds: what has come of building them.
    """

    image_lookup: dict[str, str | None] = field(default_factory=dict)
    builds: dict[str, ImageBuild] = field(default_factory=dict)


class Build:
    """`flyte.build(image)`, and `await flyte.build.aio(image)`."""

    def __call__(
        self, image: Image | TaskEnvironment | str, dry_run: bool = False, force: bool = False, wait: bool = True
    ) -> ImageBuild:
        """Build an image now, and show how it goes on a card; quick when it is there already.

        Args:
            image: an Image, its URI, or the environment whose image it is.
            dry_run: only check that it could be built: files are there, the Python is right.
            force: build it anew, also when it is there.
            wait: until it is built; else the card tells.

        Raises:
            ConfigTypeError, ConfigValueError: not an image, or one that cannot be built here.
            ImageBuildError: a step has failed; the message has the command and its last lines.
        """
        uri, task = _prepare(image, force=force and not dry_run)
        if dry_run:
            return ImageBuild(uri)
        run = api.submit(task)
        if wait:
            interrupt.wait(run)
            run.raise_for_status()
        return ImageBuild(uri, build_run=run)

    async def aio(
        self, image: Image | TaskEnvironment | str, dry_run: bool = False, force: bool = False, wait: bool = True
    ) -> ImageBuild:
        """The same, without blocking the event loop."""
        uri, task = _prepare(image, force=force and not dry_run)
        if dry_run:
            return ImageBuild(uri)
        run = api.submit(task)
        if wait:
            await interrupt.wait_aio(run)
            run.raise_for_status()
        return ImageBuild(uri, build_run=run)


class BuildImages:
    """`flyte.build_images(*envs)`, and `await flyte.build_images.aio(*envs)`."""

    def __call__(
        self,
        *envs: TaskEnvironment,
        copy_style: Literal["loaded_modules", "all", "none"] = "loaded_modules",
        seed_cache: ImageCache | None = None,
    ) -> ImageCache:
        """Build the images of environments, and of those that they depend on, side by side.

        Args:
            copy_style: for Flyte's sake; here code goes along with tasks.
            seed_cache: what was built before: environments in it are left alone.

        Raises:
            ConfigTypeError, ConfigValueError: not an environment, or an image that cannot be built here; none is built.
            ImageBuildError: as for `flyte.build`; the others are built all the same.
        """
        del copy_style
        started = _start_all(envs, seed_cache)
        interrupt.wait(*_runs_of(started))
        return _checked(started)

    async def aio(
        self,
        *envs: TaskEnvironment,
        copy_style: Literal["loaded_modules", "all", "none"] = "loaded_modules",
        seed_cache: ImageCache | None = None,
    ) -> ImageCache:
        """The same, without blocking the event loop."""
        del copy_style
        started = _start_all(envs, seed_cache)
        await interrupt.wait_aio(*_runs_of(started))
        return _checked(started)


build = Build()
build_images = BuildImages()


def _prepare(what: Image | TaskEnvironment | str, *, force: bool) -> tuple[str | None, Task[[], str]]:
    """The image's URI, and the task that is run in it. Raises what is wrong with the image."""
    from .config.image.image import Image

    given: Any = (what.image or "auto") if isinstance(what, TaskEnvironment) else what
    image = Image.of(given)
    title = image.in_words() if isinstance(image, Image) else "this environment"
    layers = ((ENV, {"name": "image", "image": image}), (TASK, {"short_name": f"image: {title}"}))
    task: Task[[], str] = Task(packages, name="image.build", interface=Interface.of(packages), layers=layers)
    site = session.current().site(task, session.defaults)
    uri, key = _venv(image) if site.images is None else (site.images(image),) * 2
    if force and key:
        site.engine.runner.rebuild(key)
    return uri, task


def _venv(image: Image | Literal["auto"]) -> tuple[str | None, str]:
    """The URI of an image, and the key of the virtual environment that it is on this machine, "" for none."""
    if isinstance(image, str):
        return None, ""
    uri = None
    _, recipe = prepared(image)
    with contextlib.suppress(ImageFileError):  # what only the platform knows has no name here
        uri = image.uri
    if recipe is None or recipe.venv is None:
        return uri, ""
    require_uv()
    return uri, recipe.venv.key


def _start_all(envs: tuple[TaskEnvironment, ...], before: ImageCache | None) -> ImageCache:
    """Start a build for each image that is different."""
    known = before or ImageCache()
    seen: set[str] = set()
    wanted = [
        env
        for given in envs
        for env in reached("flyte.build_images", given, seen)
        if env.name not in known.image_lookup
    ]
    prepared_ones = {env.name: _prepare(env, force=False) for env in wanted}
    runs: dict[Any, Run] = {}
    for _, task in prepared_ones.values():
        if task.spec.image not in runs:
            runs[task.spec.image] = api.submit(task)
    builds = {name: ImageBuild(uri, build_run=runs[task.spec.image]) for name, (uri, task) in prepared_ones.items()}
    lookup = {name: uri for name, (uri, _) in prepared_ones.items()}
    return ImageCache({**known.image_lookup, **lookup}, {**known.builds, **builds})


def _runs_of(cache: ImageCache) -> list[Run]:
    """Each once, in the order of the environments."""
    return list(dict.fromkeys(build.build_run for build in cache.builds.values() if build.build_run is not None))


def _checked(cache: ImageCache) -> ImageCache:
    for run in _runs_of(cache):
        run.raise_for_status()
    return cache
