"""Tasks with images in a real cluster: what a user writes, sees on the card, and gets."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

import flyte_jupyter as flyte
from flyte_jupyter.container.images import Images
from flyte_jupyter.engine.run import Run
from flyte_jupyter.errors import ImageBuildError, MissingSecretError
from flyte_jupyter.home import Home
from tests.conftest import eventually, forget_session, lacking
from tests.kubernetes import image as default
from tests.kubernetes.conftest import Cluster

WITHIN = 300.0
"""Seconds for a build: packages are fetched from an index."""
HOST = default.REGISTRY.partition("/")[0]
BASE = flyte.Image.from_debian_base(name="tests/remote")


@pytest.fixture(autouse=True)
def _remote(kernel: Home, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not default.REGISTRY:
        lacking("a registry to push to: $FLYTE_JUPYTER_TEST_REGISTRY")
    default.load_base()
    monkeypatch.chdir(tmp_path)
    settings = default.cluster()
    flyte.init(
        mode="remote",
        namespace=cluster.namespace,
        registry=settings.registry,
        base_image=settings.base_image or None,
        service_account="default",
    )


def told(run: Run) -> list[str]:
    """What the card says the run is doing, one after the other, as long as that goes on."""
    reasons: list[str] = []
    run.subscribe(lambda: reasons.append(run.view()["actions"][0]["reason"]))
    return reasons


def test_a_task_without_an_image_runs_in_this_installation() -> None:
    @flyte.TaskEnvironment(name="plain").task
    def version() -> str:
        import flyte_jupyter

        return flyte_jupyter.__version__

    assert flyte.__version__ == flyte.run(version).result()


def test_a_task_and_the_one_it_calls_have_images_of_their_own(cluster: Cluster) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": cluster.namespace}
    cluster.api.create(
        "rbac.authorization.k8s.io/v1/rolebindings",
        {"metadata": {"name": "caller"}, "roleRef": role, "subjects": [subject]},
    )
    inner = flyte.TaskEnvironment(name="inner", image=BASE.with_pip_packages("six==1.16.0"))
    outer = flyte.TaskEnvironment(name="outer", image=BASE.with_pip_packages("six==1.17.0").with_env_vars({"A": "o"}))

    @inner.task
    def called() -> tuple[str, str]:
        import os

        import six

        return six.__version__, os.environ.get("A", "")

    @outer.task
    def calls() -> list[tuple[str, str]]:
        import os

        import six

        return [(six.__version__, os.environ.get("A", "")), called()]

    assert [("1.17.0", "o"), ("1.16.0", "")] == flyte.run(calls).result()


def test_the_card_says_what_is_built() -> None:
    unique = secrets.token_hex(4)

    @flyte.TaskEnvironment(name="built", image=BASE.with_commands(f"echo {unique} > /srv/word")).task
    def word() -> str:
        return Path("/srv/word").read_text().strip()

    run = flyte.run(word)
    reasons = told(run)
    assert unique == run.result()
    assert {f"image: running `echo {unique} > /srv/word`", "image: pushing to " + HOST} <= set(reasons)


def test_a_step_that_fails_is_the_error_of_the_run() -> None:
    @flyte.TaskEnvironment(name="failing", image=BASE.with_commands("echo no luck; exit 3")).task
    def never() -> None: ...

    run = flyte.run(never)
    with pytest.raises(ImageBuildError, match=r"(?s)running `echo no luck.*exit code 3.*no luck"):
        run.result()
    assert "failed" == run.phase
    forget_session()  # another kernel
    with pytest.raises(ImageBuildError, match="no luck"):
        flyte.attach(run.name)


def test_a_build_is_cancelled_with_its_run(cluster: Cluster) -> None:
    @flyte.TaskEnvironment(name="slow", image=BASE.with_commands("sleep 1000")).task
    def never() -> None: ...

    run = flyte.run(never)
    reasons = told(run)
    eventually(lambda: "image: running `sleep 1000`" in reasons, within=WITHIN)
    run.cancel()
    eventually(run.done)
    assert "aborted" == run.phase
    assert [] == cluster.api.list("jobs").items


def test_what_an_image_is_made_with_is_asked_for_before_anything_starts(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    unique = secrets.token_hex(4)
    image = BASE.with_commands(
        f"echo {unique}; printenv BUILD_TOKEN | wc -c > /srv/length", secret_mounts="build-token"
    )

    @flyte.TaskEnvironment(name="secret", image=image).task
    def length() -> int:
        return int(Path("/srv/length").read_text())

    with pytest.raises(MissingSecretError, match="'build-token', needed by the image"):
        flyte.run(length)
    assert [] == cluster.api.list("jobs").items
    monkeypatch.setenv("BUILD_TOKEN", "tell-nobody")
    assert len("tell-nobody\n") == flyte.run(length).result()


def test_build_builds_and_tries_it_there(cluster: Cluster) -> None:
    image = BASE.with_pip_packages("six==1.16.0")
    planned = flyte.build(image, dry_run=True)
    assert planned.uri is not None
    assert planned.uri.startswith(f"{default.REGISTRY}/tests/remote:")
    assert [] == cluster.api.list("jobs").items
    built = flyte.build(image, force=True, wait=False)
    assert planned.uri == built.uri
    assert built.build_run is not None
    reasons = told(built.build_run)
    assert "six==1.16.0" in built.build_run.result()
    assert "image: installing six" in reasons


def test_an_image_that_is_given_needs_the_package() -> None:
    """It is told by name, and not tried again."""
    plan = Images(default.cluster()).wanted(BASE).plan
    assert plan is not None
    bare = plan.instructions[0].text.split()[1]

    @flyte.TaskEnvironment(name="bare", image=bare).task
    def never() -> None: ...

    with pytest.raises(flyte.errors.RuntimeUserError, match="has no flyte_jupyter in it"):
        flyte.run(never).result()

    @flyte.TaskEnvironment(
        name="on-top", image=flyte.Image.from_base(bare).clone(name="tests/top", extendable=True)
    ).task
    def runs() -> int:
        return 1

    assert 1 == flyte.run(runs).result()
