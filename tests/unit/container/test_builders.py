"""What builders are called with, and what of their output is a step."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyte_jupyter.container.builders import Buildah, Docker, Job, exit_code, find, is_pushing, printed, step
from flyte_jupyter.container.reference import Reference
from flyte_jupyter.errors import ConfigValueError

FAR = Reference("registry.example.com", "team/flyte", "abc")
NEAR = Reference("127.0.0.1:5000", "flyte", "abc")


def job(reference: Reference = FAR, login: Path | None = None) -> Job:
    return Job(
        reference, Path("/context"), Path("/file"), "linux/amd64", {"flyte-index": Path("/secrets/index")}, login
    )


def program(folder: Path, name: str, exit: int = 0) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\nexit {exit}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("registry.example.com/team", "registry.example.com/team/flyte:1"),
        ("localhost:5000", "localhost:5000/flyte:1"),
        ("localhost", "localhost/flyte:1"),
        ("me", "docker.io/me/flyte:1"),
        ("ghcr.io/me/tasks", "ghcr.io/me/tasks/flyte:1"),
    ],
)
def test_names_of_images(registry: str, expected: str) -> None:
    assert expected == str(Reference.of(registry, "flyte", "1"))


@pytest.mark.parametrize(
    ("host", "is_near"),
    [("127.0.0.1:5000", True), ("localhost", True), ("[::1]:5000", True), ("10.0.0.1:5000", False), ("ghcr.io", False)],
)
def test_registries_of_this_machine(host: str, is_near: bool) -> None:
    assert is_near == Reference(host, "a", "b").is_near


def test_docker() -> None:
    (call,) = Docker("docker", "team").calls(job(login=Path("/login")))
    assert [
        "docker", "buildx", "build", "--progress=plain", "--push", "--provenance=false", "--builder", "team",
        "--platform=linux/amd64", "--tag", "registry.example.com/team/flyte:abc", "--file", "/file",
        "--secret", "id=flyte-index,src=/secrets/index", "/context",
    ] == call.words  # fmt: skip
    assert {"DOCKER_CONFIG": "/login"} == call.env_vars


def test_buildah_and_podman() -> None:
    build, push = Buildah("podman").calls(job(login=Path("/login")))
    assert [
        "podman", "build", "--layers", "--force-rm", "--platform=linux/amd64", "--authfile=/login/config.json",
        "--tag", "registry.example.com/team/flyte:abc", "--file", "/file",
        "--secret", "id=flyte-index,src=/secrets/index", "/context",
    ] == build.words  # fmt: skip
    assert ["podman", "push", "--authfile=/login/config.json", "registry.example.com/team/flyte:abc"] == push.words
    build, push = Buildah("buildah").calls(job(NEAR))
    assert "--tls-verify=false" in build.words
    assert ["buildah", "push", "--tls-verify=false", "127.0.0.1:5000/flyte:abc"] == push.words


def test_the_first_that_is_here(tmp_path: Path) -> None:
    buildah, podman, docker = program(tmp_path, "buildah"), program(tmp_path, "podman"), program(tmp_path, "docker", 1)
    assert Buildah(podman) == find("", str(tmp_path))  # docker has no buildx
    assert Buildah(buildah) == find("buildah", str(tmp_path))
    with pytest.raises(ConfigValueError, match="docker with buildx is not installed here"):
        find("docker", str(tmp_path))
    program(tmp_path, "docker")
    assert Docker(docker) == find("", str(tmp_path))
    assert Docker(docker, "team") == find("docker:team", str(tmp_path))


@pytest.mark.parametrize("wanted", ["kaniko", "podman:x", "dockr"])
def test_other_builders_are_refused(wanted: str) -> None:
    with pytest.raises(ConfigValueError, match="allowed"):
        find(wanted)


def test_without_any_builder(tmp_path: Path) -> None:
    with pytest.raises(ConfigValueError, match="neither docker buildx nor podman nor buildah is installed"):
        find("", str(tmp_path))
    with pytest.raises(ConfigValueError, match="podman is not installed here"):
        find("podman", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("STEP 3/7: RUN make", "RUN make"),
        ("[2/3] STEP 3/7: RUN make", "RUN make"),
        ("#12 [stage-1 3/9] RUN make", "RUN make"),
        ("#5 [2/4] COPY a b", "COPY a b"),
        ("#16 [stage-2  9/11] RUN make", "RUN make"),
        ("#12 0.531 Resolved 39 packages", None),
        ("#1 [internal] load build definition from Dockerfile", None),
        ("--> 8ddb9d3bed5", None),
    ],
)
def test_steps_in_what_builders_print(line: str, expected: str | None) -> None:
    assert expected == step(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#16 0.597 no luck", "no luck"),
        ("#16 CACHED", ""),
        ("#16 DONE 3.1s", ""),
        ("#16 ERROR: executor failed running [/bin/sh -c make]: exit code: 3", ""),
        ("------", ""),
        (" > [stage-2  9/11] RUN make:", ""),
        ("0.597 no luck", ""),
        ("Dockerfile:12", ""),
        ("  12 | >>> RUN make", ""),
        ('ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 3', ""),
        ("ERROR: failed to solve: python:3.99: not found", "ERROR: failed to solve: python:3.99: not found"),
        ("ERROR: Cannot connect to the Docker daemon", "ERROR: Cannot connect to the Docker daemon"),
        ("--> 8ddb9d3bed5", ""),
        ('Error: building at STEP "RUN make": exit status 3', ""),
        ("subprocess exited with status 3", ""),
        ("Copying blob sha256:d676bc74e840", ""),
        ("Downloading numpy (15.1MiB)", "Downloading numpy (15.1MiB)"),
    ],
)
def test_what_steps_print(line: str, expected: str) -> None:
    assert expected == printed(line)


def test_pushing_is_told_by_docker_itself() -> None:
    assert is_pushing("#19 pushing layer d676bc74e840 19.4MB / 191.5MB 9.2s")
    assert not is_pushing("#12 0.5 pushing layer")


def test_the_exit_code_of_a_step() -> None:
    assert 3 == exit_code("#16 ERROR: executor failed running [/bin/sh -c make]: exit code: 3")
    assert 3 == exit_code('#16 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 3')
    assert exit_code("make: exit code: 4") is None
