from __future__ import annotations

from collections.abc import Iterable

import pytest

from flyte_jupyter.config import text
from flyte_jupyter.config.spec import Level
from flyte_jupyter.notebook.magics.complete import Completions, in_magic, in_python
from flyte_jupyter.notebook.magics.magics import MAGICS

PARSERS = {magic.name: magic.parser for magic in MAGICS}
NAMES: dict[str, Iterable[str]] = {
    "environments": ["birds", "fish"],
    "tasks": ["train", "total"],
    "runs": ["train", "r0001"],
    "queues": ["slow", "quick"],
    "secrets": ["db/api-key", "token"],
    "keys": ["api-key", "token"],
    "variables": ["rows", "table", "train"],
    "outputs": ["mean", "median"],
    "parameters": ["retries", "resources"],
    "actions": ["child"],
    "notebooks": ["a.ipynb", "b.ipynb"],
    "modules": ["tools.py"],
}


def known(kind: str, of: str = "") -> Iterable[str]:
    return ["rate", "rounds"] if (kind, of) == ("inputs", "train") else NAMES.get(kind, [])


def texts(found: Completions | None) -> list[str]:
    assert found is not None
    return [word for word, _ in found.found]


@pytest.mark.parametrize(
    ("before", "fragment", "expected"),
    [
        ("%%flyte_task --retr", "--retr", ["--retries"]),
        ("%%flyte_task --env ", "", ["birds", "fish"]),
        ("%%flyte_task --env=f", "f", ["fish"]),
        ("%%flyte_task --queue s", "s", ["slow"]),
        ("%%flyte_task --secrets token,", "", ["db/api-key"]),
        ("%%flyte_task --secrets token, d", "d", ["db/api-key"]),
        ("%%flyte_task --cache ov", "ov", ["override"]),
        ("%%flyte_task --cache behavior=a", "a", ["auto"]),
        ("%%flyte_task --resources cpu=1,m", "m", ["memory="]),
        ("%%flyte_task --shm ", "", ["auto"]),
        ("%%flyte_task -i r", "r", ["rows"]),
        ("%%flyte_task -o me", "me", ["mean", "median"]),
        ("%%flyte_task -o mean,med", "med", ["median"]),
        ("%%flyte_task --triggers ", "", ["{rows}", "{table}", "{train}"]),
        ("%%flyte_task --triggers {ta", "ta", ["table"]),
        ("  r = %flyte_run t", "t", ["train", "total"]),
        ("%flyte_run train(ro", "ro", ["rounds=", "rows"]),
        ("%flyte_run --retries 1 train(rows, r", "r", ["rate=", "rounds=", "rows"]),
        ("%flyte_run train(rows) ", "", []),
        ("%%flyte_task --gpu T4", "T4", ["T4:1", '"T4 shared:1"']),
        ('%%flyte_task --gpu "T4', '"T4', ["T4:1", '"T4 shared:1"']),
        ("%flyte_export tasks.py to", "to", ["tools.py", "total"]),
        ("%flyte_export --notebook ", "", ["a.ipynb", "b.ipynb"]),
        ("%%flyte_task --cache behavior=auto,s", "s", ["serialize=", "salt="]),
        ("%flyte_run train(rows) --retr", "--retr", ["--retries"]),
        ("%flyte_run --retries 3 tr", "tr", ["train"]),
        ("%flyte_override tr", "tr", ["train"]),
        ("%flyte_logs r", "r", ["r0001"]),
        ("%flyte_logs --action ", "", ["child"]),
        ("%flyte_cancel --a", "--a", ["--all"]),
        ("%flyte_config res", "res", ["resources"]),
        ("%flyte_env new --image ", "", ["auto"]),
        ("%%flyte_task --short-name 'open ", "", []),
    ],
)
def test_the_line_of_a_magic(before: str, fragment: str, expected: list[str]) -> None:
    found = in_magic(before, PARSERS, known)
    assert expected == [word for word in texts(found) if not (fragment == "" and word.startswith("--"))]
    assert found is not None
    assert fragment == found.fragment


def test_accelerators() -> None:
    assert "A100:1" in texts(in_magic("%%flyte_task --gpu a1", PARSERS, known))
    assert "A100:1" in texts(in_python("flyte.Resources(cpu=1, gpu='A1", known))


@pytest.mark.parametrize("magic", MAGICS, ids=lambda magic: magic.name)
def test_every_option_of_every_magic_is_offered_once(magic: object) -> None:
    parser = PARSERS[magic.name]  # type: ignore[attr-defined]  # parametrized
    offered = texts(in_magic(f"%{magic.name} -", PARSERS, known))  # type: ignore[attr-defined]  # likewise
    assert [flag.name for flag in parser.flags] == offered


def test_every_setting_of_the_table_is_offered() -> None:
    offered = set(texts(in_magic("%%flyte_task --", PARSERS, known)))
    assert {option.flag for option in text.options(Level.TASK | Level.OVERRIDE)} <= offered
    assert {"--triggers", "--links", "--plugin-config"} <= offered  # which have no text form


def test_what_was_given_is_not_offered_again() -> None:
    offered = texts(in_magic("%%flyte_task --retries 3 --env-vars A=1 --", PARSERS, known))
    assert "--retries" not in offered
    assert "--env-vars" in offered  # more of these may follow


@pytest.mark.parametrize("before", ["x = 1", "%time flyte_run(", "%%timeit -n", "print('%flyte_task')", "%flyte_runs"])
def test_other_lines_are_not_ours(before: str) -> None:
    assert in_magic(before, PARSERS, known) is None


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("env = flyte.TaskEnvironment('a', queue='", ["slow", "quick"]),
        ("@env.task(cache=\"", ["auto", "override", "disable"]),
        ("train.override(\n    queue='s", ["slow"]),
        ("train.override(reusable='", ["off"]),
        ("train.override(secrets=['token', '", ["api-key", "token"]),
        ("flyte.Secret('", ["api-key", "token"]),
        ("flyte.Cache(behavior='o", ["override"]),
        ("env.task(flyte.Cache('", ["auto", "override", "disable"]),
    ],
)  # fmt: skip
def test_settings_in_python(before: str, expected: list[str]) -> None:
    assert expected == texts(in_python(before, known))


@pytest.mark.parametrize("before", ["open('", "queue='", "celery(queue='", "f(x)('", "train.override(queue=q, x=", ""])
def test_other_texts_in_python_are_not_ours(before: str) -> None:
    assert in_python(before, known) is None
