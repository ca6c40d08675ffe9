"""The names in the store."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from flyte_jupyter.store import keys

SECRET_ENTRY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
"""What Kubernetes allows, but for two points at the beginning."""
PART = st.text(st.sampled_from("abz09-_."), min_size=1, max_size=8)


@given(st.lists(PART, min_size=1, max_size=5).map("/".join))
def test_a_key_is_found_again_from_the_name_of_its_file(key: str) -> None:
    assert key == keys.of_file(keys.as_file(key))
    assert SECRET_ENTRY.fullmatch(keys.as_file(key))


def test_what_a_call_consists_of_can_be_entries_of_a_secret() -> None:
    digest = "0123456789abcdef" * 4
    for key in (keys.code(digest), keys.image(digest), keys.file(digest), keys.inputs("r0mabc", "a12-1")):
        assert SECRET_ENTRY.fullmatch(keys.as_file(key))
        assert not keys.as_file(key).startswith(".")
