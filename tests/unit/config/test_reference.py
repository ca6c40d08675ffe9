"""`docs/parameters.md`: complete, and a page that can be read."""

from __future__ import annotations

import re

import pytest

from flyte_jupyter.config import reference, text
from flyte_jupyter.config.field import fields_of
from flyte_jupyter.config.spec import ENV, OVERRIDE, PARAMS, TASK
from flyte_jupyter.config.values import device
from tests.unit.config.test_form import TYPES

PAGE = reference.page()
SECTIONS = {title.strip("`"): body for title, body in re.findall(r"^### (.*)\n((?:(?!^##).*\n?)*)", PAGE, re.MULTILINE)}


@pytest.mark.parametrize("name", PARAMS)
def test_every_parameter_has_its_section(name: str) -> None:
    p, section = PARAMS[name], SECTIONS[name]
    assert p.doc in section
    for place in ("Set in", "Type", "On this machine", "On Kubernetes"):
        assert f"- **{place}:** " in section
    assert f"- **On this machine:** {p.local}" in section
    assert ("*Not built yet.*" in section) == ("kubernetes" not in p.honoured)
    for option in text.options(ENV | TASK | OVERRIDE):
        if option.param == name:
            assert f"`{option.flag}" in section


@pytest.mark.parametrize("name", PARAMS)
def test_effects_are_sentences(name: str) -> None:
    for effect in (PARAMS[name].local, PARAMS[name].kubernetes):
        assert re.fullmatch(r"[A-Z`][^\n]*\.", effect)


@pytest.mark.parametrize("cls", TYPES)
def test_every_value_type_has_its_fields(cls: type) -> None:
    section = SECTIONS[f"flyte.{cls.__name__}"]
    for f in fields_of(cls):
        assert f"| `{f.name}` | {f.sentence()} |" in section


def test_what_is_partly_built_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARAMS["queue"].__dict__, "honoured", {"local": "its name"})
    assert "*Not complete yet: its name.*" in reference.page()


def test_every_link_leads_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert len(anchors) == len(set(anchors))
    assert set() == set(re.findall(r"\]\(#([^)]*)\)", PAGE)) - set(anchors)


def test_tables_are_well_formed() -> None:
    width = 0
    for line in PAGE.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (width, 0) or width == 0
        width = cells


def test_every_accelerator_is_listed() -> None:
    section = SECTIONS["Accelerators"]
    assert all(f"| `{model}` |" in section for model in device.devices())


def test_it_does_not_depend_on_the_machine() -> None:
    assert "Europe/Berlin" in SECTIONS["flyte.Cron"]
    assert "Europe/Vienna" not in PAGE
    assert PAGE == reference.page()
