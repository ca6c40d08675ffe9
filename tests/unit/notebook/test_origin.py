from __future__ import annotations

import pytest

from flyte_jupyter.notebook.origin import is_same

A = {"path": "/nb/a.ipynb", "kernel": "/run/kernel-1.json", "cell": "c7", "loads": "c1"}


@pytest.mark.parametrize(
    ("now", "there", "expected"),
    [
        (A, ["/nb/a.ipynb"], True),
        ({"kernel": "/run/kernel-1.json"}, [], True),  # restarted, before anything else is known
        ({"path": "/nb/a.ipynb", "kernel": "/run/kernel-2.json"}, ["/nb/a.ipynb"], True),
        ({"path": "/nb/b.ipynb", "kernel": "/run/kernel-2.json"}, ["/nb/a.ipynb", "/nb/b.ipynb"], False),
        ({"path": "/nb/b.ipynb", "loads": "c1"}, ["/nb/b.ipynb"], True),  # renamed
        ({"path": "/nb/b.ipynb", "loads": "c1"}, ["/nb/a.ipynb", "/nb/b.ipynb"], False),  # copied
        ({"path": "/nb/b.ipynb", "loads": "c2"}, ["/nb/b.ipynb"], False),
        ({}, [], False),
    ],
)
def test_which_notebook_is_the_same(now: dict[str, str], there: list[str], expected: bool) -> None:
    assert expected is is_same(A, now, there.__contains__)


def test_of_a_run_without_a_notebook_nothing_is_known() -> None:
    assert not is_same({}, A)
    assert not is_same({}, {})
