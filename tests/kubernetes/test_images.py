"""Images that are built and pushed for real, and what a pod finds in them."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from flyte_jupyter.config.cluster import Cluster as Settings
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.container import registry
from flyte_jupyter.container.build import Progress
from flyte_jupyter.container.images import Images, Wanted
from flyte_jupyter.errors import ConfigValueError, ImageBuildError
from flyte_jupyter.host import pod as host_pod
from flyte_jupyter.pods import Failure, PodEvent, PodRequest
from flyte_jupyter.runners.kubernetes.building import Building
from tests.conftest import eventually, lacking
from tests.kubernetes import image as default
from tests.kubernetes.conftest import Cluster

WITHIN = 300.0
"""Seconds for a build: packages are fetched from an index."""
LOOK = """
import importlib.metadata, json, os, subprocess, mine
folders = ["/etc", "/run", "/srv", "/usr/local", "/tmp", "/root", "/var"]
secret = "{}" + "{}"
print(json.dumps([
    os.getcwd(),
    os.environ["QUOTED"],
    os.access("tools/run.sh", os.X_OK),
    open("/srv/two.txt").read(),
    int(open("/srv/length").read()),
    mine.ANSWER,
    [importlib.metadata.version(name) for name in ("six", "iniconfig", "toolz")],
    subprocess.run(["grep", "-rlsF", secret, *folders], capture_output=True, text=True).stdout,
    os.environ.get("BUILD_TOKEN"),
]))
"""


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    """Those of a cluster that nobody has asked for any yet; tests are in a folder of their own."""
    if not default.REGISTRY:
        lacking("a registry to push to: $FLYTE_JUPYTER_TEST_REGISTRY")
    default.load_base()
    monkeypatch.chdir(tmp_path)
    return Images(default.cluster())


class Told:
    """Who is told how far a build is."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.lines: list[str] = []
        self.progress = Progress(self.steps.append, self.lines.append)


def have(images: Images, image: Image) -> tuple[Wanted, Told]:
    wanted, told = images.wanted(image), Told()
    images.provide([wanted.uri])
    images.have(wanted.uri, told.progress)
    return wanted, told


def said_in(cluster: Cluster, image: str, code: str) -> Any:
    """What a program says, as JSON, that a pod of that image runs as who the image says, with little to write to."""
    name, code = "look", f"import sys\nsys.stdout = open('/dev/termination-log', 'w')\n{code}"
    secure = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": name, "image": image, "command": ["python3", "-c", code], "securityContext": secure}
    spec = {"restartPolicy": "Never", "securityContext": {"runAsNonRoot": True}, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    cluster.api.create("pods", pod)

    def phase() -> str:
        return str(cluster.api.get("pods", name)["status"].get("phase"))

    eventually(lambda: phase() in ("Succeeded", "Failed"), within=WITHIN)
    ended = cluster.api.get("pods", name)["status"]["containerStatuses"][0]["state"]["terminated"]
    assert 0 == ended["exitCode"], ended
    return json.loads(ended["message"])


def test_the_default_image_runs_without_root_and_has_this_copy(cluster: Cluster, image: str) -> None:
    code = (
        "import json, os, flyte_jupyter.host.pod as pod, kubernetes, obstore, getpass, hashlib, pathlib;"
        "digest = hashlib.sha256(pathlib.Path(pod.__file__).read_bytes()).hexdigest();"
        "print(json.dumps([os.getuid(), getpass.getuser(), digest]))"
    )
    digest = hashlib.sha256(Path(str(host_pod.__file__)).read_bytes()).hexdigest()
    assert [1000, "flyte", digest] == said_in(cluster, image, code)


def test_every_layer_and_no_secret(
    cluster: Cluster, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, text = "tell-nobody-4711", secrets.token_hex(8)  # else the image is there from the time before
    monkeypatch.setenv("BUILD_TOKEN", value)
    (tmp_path / "requirements.txt").write_text("iniconfig==2.0.0\n")
    (tmp_path / "script.txt").write_text(text)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "lib/run.sh").chmod(0o700)
    (tmp_path / "mine/src/mine").mkdir(parents=True)
    (tmp_path / "mine/src/mine/__init__.py").write_text("ANSWER = 42\n")
    (tmp_path / "mine/pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1.0"\ndependencies = ["toolz==0.12.0"]\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    image = (
        Image.from_debian_base(name="tests/layers")
        .with_pip_packages("six==1.16.0")
        .with_requirements("requirements.txt")
        .with_uv_project("mine/pyproject.toml", project_install_mode="install_project")
        .with_env_vars({"QUOTED": 'a "b" $HOME'})
        .with_workdir("/srv/work")
        .with_source_folder("lib", "tools/")
        .with_source_file("script.txt", "/srv/one.txt")
        .with_commands(
            [
                'test -n "$BUILD_TOKEN" && echo "$BUILD_TOKEN" | wc -c > /srv/length',
                "set -e\ncat /srv/one.txt > /srv/two.txt",
            ],
            secret_mounts="build-token",
        )
    )
    wanted, told = have(images, image)
    assert ["installing six", "installing what requirements.txt names", "installing mine and what it needs"] == [
        step for step in told.steps if step.startswith("installing") and "task" not in step and "flyte" not in step
    ]
    assert value not in "\n".join(told.lines)
    expected = ["/srv/work", 'a "b" $HOME', True, text, len(value) + 1, 42, ["1.16.0", "2.0.0", "0.12.0"], "", None]
    assert expected == said_in(cluster, wanted.uri, LOOK.format(value[:9], value[9:]))


def test_what_is_there_is_not_built_again(images: Images) -> None:
    image = Image.from_debian_base(name="tests/again").with_env_vars({"A": "1"})
    wanted, _ = have(images, image)
    told = Told()
    another = Images(default.cluster())
    assert wanted.uri == another.wanted(image).uri
    another.have(wanted.uri, told.progress)
    another.have(wanted.uri, told.progress)
    assert [f"looking for it on {default.REGISTRY.partition('/')[0]}"] == told.steps
    another.again(wanted.uri)
    another.have(wanted.uri, told.progress)
    assert "installing flyte_jupyter" in told.steps


def test_the_step_that_failed_is_named_with_its_last_words(images: Images) -> None:
    image = Image.from_debian_base(name="tests/failing").with_commands("echo so far; echo no luck >&2; exit 3")
    with pytest.raises(ImageBuildError, match="running `echo so far") as caught:
        have(images, image)
    assert "exit code 3" in str(caught.value)
    assert "\n  no luck" in str(caught.value)


def test_a_package_that_does_not_exist(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/only/here")
    image = Image.from_debian_base(name="tests/failing").with_pip_packages("flyte-jupyter-no-such-package-0")
    with pytest.raises(ImageBuildError, match="installing flyte-jupyter-no-such-package-0 failed") as caught:
        have(images, image)
    assert "only this machine has: " in str(caught.value)
    assert "/only/here" in str(caught.value)


def of_dockerfile(images: Images, rest: str) -> Image:
    """An image from a Dockerfile that starts where Debian images do."""
    plan = images.wanted(Image.from_debian_base()).plan
    assert plan is not None
    base = plan.instructions[0].text.split()[1]
    Path("Dockerfile").write_text(f"FROM {base}\n{rest}\n")
    return Image.from_dockerfile("Dockerfile", registry=default.REGISTRY, name="tests/dockerfile")


def test_another_python_in_the_base_is_told_at_once(images: Images) -> None:
    """The tag of a base image may say nothing of its Python."""
    code = "import sys; sys.version_info = (3, 9, 1, 'final', 0)"
    where = "$(python3 -c 'import os; print(os.path.dirname(os.__file__))')/sitecustomize.py"
    with pytest.raises(ImageBuildError, match=r"The image has Python 3\.9; tasks travel as pickles"):
        have(images, of_dockerfile(images, f'RUN echo "{code}" > {where}'))


def test_a_dockerfile(cluster: Cluster, images: Images) -> None:
    Path("data.txt").write_text("mine")
    rest = 'COPY data.txt /srv/data.txt\nENTRYPOINT ["false"]'
    wanted, _ = have(images, of_dockerfile(images, rest))
    code = "import json, flyte_jupyter.pack.outcome; print(json.dumps(open('/srv/data.txt').read()))"
    assert "mine" == said_in(cluster, wanted.uri, code)


# --- pods that wait


class Runner:
    """What a runner does for pods whose image is there, written down."""

    def __init__(self, images: Images) -> None:
        self.launched: list[str] = []
        self.told: list[PodEvent] = []
        self.ended: dict[str, Failure] = {}
        self.building = Building(images, self._launch, self.told.append, self._end)

    def _launch(self, pod: PodRequest) -> None:
        self.launched.append(pod.name)

    def _end(self, pod: PodRequest, failure: Failure) -> None:
        self.ended[pod.name] = failure


def pod(action: str, uri: str, *others: str) -> PodRequest:
    who = {"run": "r1", "action": action, "task": "env.task", "title": "task", "labels": {"session": action}}
    cluster = {"built": dict(enumerate(others))}
    return PodRequest(**who, store="", python="", image_uri=uri, cluster=cluster)


def test_pods_are_launched_when_their_image_is_there(images: Images) -> None:
    wanted = images.wanted(Image.from_debian_base(name="tests/pods").with_env_vars({"B": "1"}))
    images.again(wanted.uri)
    runner = Runner(images)
    for action in ("a", "b", "c"):
        runner.building.launch(pod(action, wanted.uri))
    runner.building.launch(pod("a", wanted.uri))  # it is there
    assert ["r1-a"] == [f"{event.run}-{event.action}" for event in runner.building.events({"session": "a"})]
    assert runner.building.stop("r1-b", "not wanted")
    eventually(lambda: len(runner.launched) == 2, within=WITHIN)
    assert ["r1-a", "r1-c"] == sorted(runner.launched)
    assert ["r1-b"] == list(runner.ended)
    assert not runner.building.stop("r1-a", "too late")
    assert {"image: installing flyte_jupyter"} <= {event.reason for event in runner.told}
    runner.building.launch(pod("d", wanted.uri))
    assert "r1-d" == runner.launched[-1]  # at once


def test_a_pod_waits_for_the_images_of_what_it_calls(images: Images) -> None:
    own, called = (
        images.wanted(Image.from_debian_base(name="tests/pods").with_env_vars({"C": value})) for value in "12"
    )
    for wanted in (own, called):
        images.again(wanted.uri)
    runner = Runner(images)
    runner.building.launch(pod("a", own.uri, called.uri, own.uri))
    eventually(lambda: runner.launched, within=WITHIN)
    assert images.is_there(own.uri)
    assert images.is_there(called.uri)


def test_an_image_that_fails_ends_all_who_wait(images: Images) -> None:
    wanted = images.wanted(Image.from_debian_base(name="tests/pods").with_commands("exit 7"))
    runner = Runner(images)
    for action in ("a", "b"):
        runner.building.launch(pod(action, wanted.uri))
    eventually(lambda: len(runner.ended) == 2, within=WITHIN)
    assert {"ImageBuildError"} == {failure.code for failure in runner.ended.values()}
    assert [] == runner.launched


def test_what_nobody_waits_for_is_not_built_any_further(images: Images, tmp_path: Path) -> None:
    wanted = images.wanted(Image.from_debian_base(name="tests/pods").with_commands("sleep 1000"))
    runner = Runner(images)
    runner.building.launch(pod("a", wanted.uri))
    eventually(lambda: any("sleep 1000" in event.reason for event in runner.told), within=WITHIN)
    assert runner.building.stop("r1-a", "not wanted")
    assert "not wanted" == runner.ended["r1-a"].message
    me = psutil.Process()
    eventually(lambda: not [child for child in me.children(recursive=True) if "sleep" in child.name()])
    eventually(lambda: "flyte-jupyter-image" not in {thread.name for thread in threading.enumerate()})
    assert [] == runner.launched


def test_who_waits_when_the_kernel_ends_has_ended_too(images: Images) -> None:
    wanted = images.wanted(Image.from_debian_base(name="tests/pods").with_commands("sleep 1000"))
    runner = Runner(images)
    runner.building.launch(pod("a", wanted.uri))
    eventually(lambda: any("sleep 1000" in event.reason for event in runner.told), within=WITHIN)
    runner.building.close()
    assert "The kernel ended while it built the image" in runner.ended["r1-a"].message
    assert [] == runner.launched


# --- registries


def test_a_registry_that_does_not_answer() -> None:
    images = Images(Settings(registry="127.0.0.1:1/team", base_image=default.BASE_IMAGE))
    wanted = images.wanted(Image.from_debian_base())
    with pytest.raises(ConfigValueError, match=r"the registry 127\.0\.0\.1:1 does not answer"):
        images.have(wanted.uri, Told().progress)


def test_exists(images: Images) -> None:
    wanted, _ = have(images, Image.from_debian_base(name="tests/again").with_env_vars({"A": "1"}))
    assert wanted.reference is not None
    assert registry.exists(wanted.reference, {}) is True
    assert registry.exists(type(wanted.reference)(wanted.reference.host, "tests/none", "1"), {}) is False
