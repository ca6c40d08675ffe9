"""Images in a notebook: the card shows how one is built, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flyte_jupyter.home import Home
from flyte_jupyter.notebook.cards.card import MIME
from tests.integration.images import built, left, tapped_uv
from tests.kernel.front import START, Cell, Front


@pytest.fixture
def front(home: Home) -> Iterator[Front]:
    with Front(home, START) as made:
        yield made


CELL = """
image = flyte.Image.from_debian_base().with_pip_packages({package!r})
env = flyte.TaskEnvironment(name="in_image", image=image)

@env.task
def version() -> str:
    from importlib import metadata
    return metadata.version("iniconfig")

flyte.run(version).outputs()[0]
"""


def views(cell: Cell) -> list[str]:
    """What the cards of a cell have shown, one after the other."""
    return [json.dumps(content["data"][MIME]) for content in (*cell.displays, *cell.updates) if MIME in content["data"]]


def test_the_card_shows_the_build(front: Front, home: Home, tmp_path: Path) -> None:
    uv = tapped_uv(
        tmp_path, before=f'case "$*" in *iniconfig*) while [ ! -e {tmp_path}/seen ]; do sleep 0.02; done; esac'
    )
    front.run(f"import flyte_jupyter.engine.images; flyte_jupyter.engine.images.find_uv = lambda: {str(uv)!r}")

    def look(cell: Cell) -> None:
        if any("image: installing iniconfig" in view for view in views(cell)):
            (tmp_path / "seen").touch()

    cell = front.run(CELL.format(package="iniconfig==2.0.0"), each=look)
    front.more(cell, lambda cell: "succeeded" in cell.card()[-1])
    assert ("'2.0.0'", 1) == (cell.result, len(built(home)))
    assert " + iniconfig==2.0.0" in views(cell)[-1]
    assert "image " in cell.card()[-1].splitlines()[1]


def test_a_build_that_fails(front: Front, home: Home) -> None:
    cell = front.run(CELL.format(package="iniconfig==0.0.0.1"))
    front.more(cell, lambda cell: "failed" in cell.card()[-1])
    assert "error" == cell.status
    assert cell.error.startswith("ImageBuildError: installing iniconfig failed (exit code 1):")
    assert "there is no version of iniconfig==0.0.0.1" in cell.error
    assert [] == left(home)


def test_building_now(front: Front, home: Home) -> None:
    cell = front.run("flyte.build(flyte.Image.from_debian_base().with_pip_packages('iniconfig==2.0.0'))")
    assert cell.result.startswith("ImageBuild(uri='flyte:")
    assert 1 == len(built(home))


def test_modules_beside_the_notebook(front: Front, home: Home) -> None:
    """By value when they are loaded, from their folder when the task is the first to import them."""
    cell = front.run(
        """
from pathlib import Path
Path("loaded_one.py").write_text("ANSWER = 1")
Path("other_one.py").write_text("ANSWER = 2")
import loaded_one
plain = flyte.TaskEnvironment(name="plain", image=flyte.Image.from_debian_base().with_workdir("/app"))

@plain.task
def answers() -> list[int]:
    import other_one
    return [loaded_one.ANSWER, other_one.ANSWER]

try:
    print(flyte.run(answers).outputs()[0])
finally:
    Path("loaded_one.py").unlink(), Path("other_one.py").unlink()
"""
    )
    assert ("ok", "[1, 2]\n") == (cell.status, cell.stdout)
