"""What holds for all actions of a run."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from flyte_jupyter import errors
from flyte_jupyter.engine import options
from flyte_jupyter.engine.options import RunOptions

GIVEN: dict[str, Any] = {
    "env_vars": {"A": "1"},
    "queue": "gpu",
    "interruptible": False,
    "overwrite_cache": True,
    "disable_run_cache": True,
    "labels": {"team": "a"},
    "custom_context": {"who": "me"},
    "strict": True,
    "mode": "remote",
}


def test_what_is_given_is_kept_and_travels() -> None:
    made = RunOptions.of(GIVEN)
    assert GIVEN == vars(made)
    assert made == RunOptions.of(made.to_json())


def test_every_option_is_tried_here() -> None:
    assert set(GIVEN) == set(vars(RunOptions())) == set(options._ACCEPT)


def test_none_is_not_given_and_false_is() -> None:
    assert RunOptions() == RunOptions.of(dict.fromkeys(GIVEN))
    assert {"interruptible": False} == RunOptions.of({"interruptible": False}).to_json()


def test_the_static_types_name_every_option() -> None:
    source = get_type_hints(RunOptions)
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(options))
    (typed,) = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == "RunSettings"]
    named = [n.target.id for n in typed.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    assert list(source) == [*named, "mode"]  # which is the first argument of with_runcontext


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(errors.ConfigError) as caught:
        RunOptions.of({"env_var": {}, "overwrite_cache": 1, "labels": {"a": 1}, "env_vars": {"A": 1}})
    said = str(caught.value)
    assert "did you mean 'env_vars'?" in said
    assert all(part in said for part in ("overwrite_cache", "labels", "env_vars['A']"))
