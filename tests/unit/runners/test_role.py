"""The Role: what is printed for an administrator is what is asked for."""

from __future__ import annotations

import yaml

from flyte_jupyter.runners.kubernetes import role


def test_the_page_in_the_docs_is_not_stale() -> None:
    """Else: python -m flyte_jupyter.runners.kubernetes.role."""
    assert role.page() == role.PAGE.read_text("utf-8")


def test_the_page_is_what_an_administrator_would_apply() -> None:
    assert role.manifests("team") == list(yaml.safe_load_all(role.page("team")))
    assert role.manifests("team") == list(yaml.safe_load_all(role.page().replace("NAMESPACE", "team")))


def test_the_role_is_of_the_namespace_alone() -> None:
    rules = next(each for each in role.manifests("team") if each["kind"] == "Role")["rules"]
    granted = {(rule["resources"][0], verb) for rule in rules for verb in rule["verbs"]}
    assert granted == {(each.right.kind, each.verb) for each in role.questions() if not each.right.everywhere}
    assert not {verb for _, verb in granted} & {"*", "deletecollection", "update", "impersonate", "escalate"}


def test_no_verb_is_written_twice() -> None:
    asked = [(each.right.group, each.right.kind, each.right.everywhere, each.verb) for each in role.questions()]
    assert len(asked) == len(set(asked))
