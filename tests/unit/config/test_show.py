from __future__ import annotations

import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from kubernetes import client as k8s

from flyte_jupyter import Cron, FixedRate, Image, OnArtifact, PodTemplate, Resources, Trigger
from flyte_jupyter.config import show
from flyte_jupyter.config.field import fields_of
from flyte_jupyter.config.spec import TaskSpec
from flyte_jupyter.markup import VOID
from tests.unit.config.test_form import REQUIRED, TYPES

NOW = datetime(2024, 3, 30, 12, tzinfo=timezone.utc)
EVIL = "</td><script>alert(1)</script>"
SECRET = k8s.V1EnvVar(name="A_KEY", value="hush")


class Page(HTMLParser):
    """Reads HTML, and knows whether its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data + "\n"


@pytest.mark.parametrize("cls", TYPES)
def test_every_value_type_is_shown(cls: type) -> None:
    value = cls(**REQUIRED.get(cls.__name__, {}))
    page = Page(value._repr_html_())
    assert [] == page.open
    assert page.text.startswith(cls.__name__)
    assert page.tags <= {"div", "span", "style", "table", "tbody", "tr", "td", "pre"}
    for f in fields_of(cls):
        if getattr(value, f.name) not in (None, "", (), {}):
            assert f.name in page.text


def test_names_say_what_they_mean() -> None:
    (doc,) = (f.doc for f in fields_of(Resources) if f.name == "cpu")
    assert f'<span title="{doc}">cpu</span></td><td>2 cores' in Resources(cpu=2)._repr_html_()


def test_nothing_is_said_to_be_nothing() -> None:
    assert "nothing is set" in Page(Resources()._repr_html_()).text


@pytest.mark.parametrize(
    "value",
    [
        Trigger(EVIL, inputs={EVIL: EVIL}, env_vars={"A": EVIL}, description=EVIL),
        OnArtifact(EVIL, partitions={"x": EVIL}),
        PodTemplate({"containers": [{"name": "primary", "image": EVIL}]}, labels={"a": EVIL}),
        Image.from_base(EVIL),
        Image.from_debian_base().with_commands([EVIL]),
        TaskSpec(name="e", queue=EVIL),
    ],
)
def test_text_is_escaped(value: Any) -> None:
    page = Page(value._repr_html_())
    assert [] == page.open
    assert "script" not in page.tags
    assert EVIL in page.text.replace("\\", "")


def test_credentials_are_hidden() -> None:
    for value in (
        Trigger("t", env_vars={"A_TOKEN": "hush"}),
        PodTemplate({"containers": [{"name": "primary", "env": [{"name": "A_KEY", "value": "hush"}]}]}),
        PodTemplate(k8s.V1PodSpec(containers=[k8s.V1Container(name="primary", env=[SECRET])])),
        Image.from_debian_base().with_env_vars({"A_KEY": "hush"}),
    ):
        assert "hush" not in value._repr_html_()
        assert "hush" not in pretty(value)
        assert "hush" in repr(value)


def test_a_pod_of_models_looks_like_one_of_dicts() -> None:
    of_models = PodTemplate(k8s.V1PodSpec(containers=[k8s.V1Container(name="primary", image="x")]))
    of_dicts = PodTemplate({"containers": [{"image": "x", "name": "primary"}]})
    assert of_dicts._repr_html_() == of_models._repr_html_()


def test_an_image_is_its_layers_in_order() -> None:
    image = (
        Image.from_debian_base(python_version=(3, 12))
        .with_apt_packages("git")
        .with_pip_packages("pandas", "numpy", pre=True)
        .with_source_folder("data", dst="/data")
    )
    text = " ".join(Page(image._repr_html_()).text.split())
    assert "python_version 3.12" in text
    assert "apt packages : git pip packages : pandas, numpy pre yes source folder : data dst /data" in text


def test_fire_times_are_those_of_its_time_zone() -> None:
    trigger = Trigger("t", Cron("30 2 * * *", "Europe/Berlin"))
    expected = ["Sun 2024-03-31 03:00 CEST", "Mon 2024-04-01 02:30 CEST", "Tue 2024-04-02 02:30 CEST"]
    assert expected == show.next_times(trigger, NOW)
    page = Page(show.value(trigger, now=NOW))
    assert expected == [line for line in page.text.splitlines() if re.match(r"\w{3} 2024", line)]


@pytest.mark.parametrize(
    ("automation", "expected"),
    [
        (None, []),
        (OnArtifact("a"), []),
        (FixedRate(90), ["1 h 30 min after it is activated"]),
        (FixedRate(1440, NOW), ["Sun 2024-03-31 12:00 UTC", "Mon 2024-04-01 12:00 UTC", "Tue 2024-04-02 12:00 UTC"]),
    ],
)
def test_fire_times_of_other_automations(automation: Any, expected: list[str]) -> None:
    assert expected == show.next_times(automation, NOW)
    assert expected == show.next_times(Trigger("t", automation), NOW)


def pretty(value: Any) -> str:
    from IPython.lib.pretty import pretty

    return str(pretty(value))


def test_the_text_of_a_trigger_ends_with_its_next_time() -> None:
    text = pretty(Trigger("t", Cron("0 6 * * *")))
    assert re.fullmatch(
        r"Trigger\('t', automation=Cron\('0 6 \* \* \*'\)\)  # next: \w{3} 20\d\d-\d\d-\d\d 06:00 UTC", text
    )
    assert Trigger("t", Cron("0 6 * * *")) == eval(text, {"Trigger": Trigger, "Cron": Cron})
    assert "#" not in pretty([Cron("0 6 * * *")])
    assert "Resources(cpu=1)" == pretty(Resources(cpu=1))
