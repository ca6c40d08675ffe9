"""Which image a task runs in, by the settings of its cluster; nothing is built here."""

from __future__ import annotations

import pytest

from flyte_jupyter.config.cluster import Cluster
from flyte_jupyter.config.image.image import Image
from flyte_jupyter.container.images import Images, Wanted
from flyte_jupyter.errors import ConfigValueError

TEAM = Cluster(registry="registry.example.com/team", images={"ml": "registry.example.com/ml:1"})


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYTE_IMAGE_REGISTRY", raising=False)


def bases(wanted: Wanted) -> list[str]:
    assert wanted.plan is not None
    froms = [line.text.split()[1] for line in wanted.plan.instructions if line.text.startswith("FROM ")]
    return [base for base in dict.fromkeys(froms) if "flyte-jupyter" not in base]


def test_references_are_taken_as_they_are() -> None:
    images = Images(Cluster(image="host/tasks:1", images={"ml": "host/ml:1"}))
    assert "host/tasks:1" == images.wanted("auto").uri
    assert "host/tasks:1" == images.wanted(Image.from_ref_name()).uri
    assert "host/ml:1" == images.wanted(Image.from_ref_name("ml")).uri
    assert "python:3.11" == images.wanted(Image.from_base("python:3.11")).uri
    assert images.is_there("python:3.11")


def test_what_is_built_has_a_name_on_the_registry() -> None:
    images = Images(TEAM)
    default = images.wanted("auto")
    assert default.uri.startswith("registry.example.com/team/flyte:")
    assert not images.is_there(default.uri)
    own = images.wanted(Image.from_debian_base(name="mine", registry="ghcr.io/me"))
    assert own.uri.startswith("ghcr.io/me/mine:")


def test_debian_images_start_from_the_base_of_the_settings() -> None:
    images = Images(Cluster(registry="host/team", base_image="mirror.example.com/python:{python}-slim"))
    version = "{}.{}".format(*Image.from_debian_base().python_version)
    assert [f"mirror.example.com/python:{version}-slim"] == bases(images.wanted("auto"))
    other = Image.from_base("nvidia/cuda:12").clone(name="mine", extendable=True).with_pip_packages("six")
    assert ["nvidia/cuda:12"] == bases(images.wanted(other))


def test_layers_on_an_image_of_the_settings() -> None:
    image = Image.from_ref_name("ml").clone(extendable=True).with_pip_packages("six")
    assert ["registry.example.com/ml:1"] == bases(Images(TEAM).wanted(image))


def test_a_name_that_the_settings_do_not_have() -> None:
    with pytest.raises(ConfigValueError, match="ml"):
        Images(TEAM).wanted(Image.from_ref_name("mlx"))


def test_without_a_registry() -> None:
    with pytest.raises(ConfigValueError, match="there is no registry to push the default image to"):
        Images(Cluster()).wanted("auto")
