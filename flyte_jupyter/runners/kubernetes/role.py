"""The rights that are needed in a namespace, and why: one short Role, for kernels and for pods that start pods.

Both run the same runner, so both need the same. `python -m flyte_jupyter.runners.kubernetes.role` writes
`docs/kubernetes/role.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .api import Api

NAME = "flyte-jupyter"
"""Of Role, RoleBinding and ServiceAccount; the last is that of tasks that call tasks, unless the settings name one."""
PAGE = Path(__file__).parents[3] / "docs" / "kubernetes" / "role.yaml"
_ANY = "NAMESPACE"
"""Stands for the name of a namespace."""
_HOW = f"sed s/{_ANY}/team/ role.yaml | kubectl apply -f -"
_RBAC = "rbac.authorization.k8s.io"


class Right(NamedTuple):
    """What may be done with one kind of object.

    Attributes:
        group: of the API, "" for the core; kind: plural, also of a part such as "pods/log".
        verbs: as a Role has them; why: what it is for.
        lost: what does not work without it, "" when nothing does.
        everywhere: whether it is of the whole cluster, which no Role can grant.
    """

    group: str
    kind: str
    verbs: tuple[str, ...]
    why: str
    lost: str = ""
    everywhere: bool = False

    @property
    def is_needed(self) -> bool:
        return not self.lost


RIGHTS = (
    Right("batch", "jobs", ("get", "list", "watch", "create", "delete"), "every action is a Job; a cancelled one goes"),
    Right("", "pods", ("list", "watch"), "where each one stands"),
    Right("", "pods/log", ("get",), "what it prints and tells"),
    Right(
        "",
        "secrets",
        ("get", "create", "patch", "delete"),
        "the key that signs calls; calls without a bucket; whether those of tasks are there",
    ),
    Right("", "events", ("list", "watch"), "why a pod does not start", "cards do not say why a pod does not start"),
    Right("", "podtemplates", ("get", "list"), 'pod_template="name"', "pod templates cannot be given by name"),
    Right("", "secrets", ("list",), "calls that no Job took, swept", "calls that no Job took stay until someone looks"),
    Right(
        "batch",
        "jobs",
        ("patch",),
        "how one has ended that is deleted",
        "others who watch are not told why one was deleted",
    ),
    Right(
        "",
        "pods",
        ("delete",),
        "what is cancelled ends soon; pods whose Job is gone, swept",
        "what is cancelled takes its time; pods whose Job was taken from them stay",
    ),
    Right("kueue.x-k8s.io", "workloads", ("list",), "why Kueue holds a Job back", "cards say no more than its queue"),
    Right(
        "visibility.kueue.x-k8s.io",
        "localqueues/pendingworkloads",
        ("get",),
        "how many are before it in that queue",
        "cards do not say how many are before it",
    ),
    Right(
        "",
        "nodes",
        ("list",),
        "the largest node",
        "what is too large for every node waits instead of failing at once",
        everywhere=True,
    ),
    Right("", "pods", ("list",), "how much is free on it", "cards do not say what is free on nodes", everywhere=True),
)


class Question(NamedTuple):
    """One right, one verb."""

    right: Right
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.right.kind}{' of the whole cluster' if self.right.everywhere else ''}"


def questions(rights: Iterable[Right] = RIGHTS) -> Iterator[Question]:
    """All verbs of rights, one by one."""
    for right in rights:
        yield from (Question(right, verb) for verb in right.verbs)


def missing(api: Api, rights: Iterable[Right] = RIGHTS) -> list[Question]:
    """What this user may not do, as the cluster says itself (SelfSubjectAccessReview). Raises `ApiError`."""
    return [question for question in questions(rights) if not _may(api, question)]


def _may(api: Api, question: Question) -> bool:
    right = question.right
    kind, _, part = right.kind.partition("/")
    asked = {
        "namespace": "" if right.everywhere else api.namespace,
        "verb": question.verb,
        "group": right.group,
        "resource": kind,
        "subresource": part,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": asked},
    }
    return bool(api.create("selfsubjectaccessreviews", review)["status"]["allowed"])


def manifests(namespace: str) -> list[dict[str, Any]]:
    """Role, ServiceAccount and RoleBinding, for the API."""
    metadata = {"name": NAME, "namespace": namespace}
    rules = [_rule(right) for right in RIGHTS if not right.everywhere]
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    role = {"apiGroup": _RBAC, "kind": "Role", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {"apiVersion": f"{_RBAC}/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": role}
        | {"subjects": [account]},
    ]


def _rule(right: Right) -> dict[str, list[str]]:
    return {"apiGroups": [right.group], "resources": [right.kind], "verbs": list(right.verbs)}


def page(namespace: str = _ANY) -> str:
    """The same as YAML with the reasons, to be handed to an administrator."""
    account, role, binding = manifests(namespace)
    lines = [
        f"# What flyte_jupyter needs in a namespace: {_HOW if namespace == _ANY else 'kubectl apply -f role.yaml'}",
        *_head(account),
        "---",
        *_head(role),
        "rules:",
        *(_line(right) for right in RIGHTS if not right.everywhere),
        "---",
        *_head(binding),
        f"roleRef: {_flow(binding['roleRef'])}",
        "subjects:",
        f"- {_flow(binding['subjects'][0])} # pods of tasks that call tasks",
        f"# - {_flow({'apiGroup': _RBAC, 'kind': 'User', 'name': 'USER'})} # whoever works there: one line each",
        "# Optional, to know what no node is large enough for, and what is free: a ClusterRole of that name with",
        *(f"# {_line(right)}" for right in RIGHTS if right.everywhere),
    ]
    return "\n".join(lines) + "\n"


def _head(manifest: dict[str, Any]) -> list[str]:
    return [f"{name}: {_flow(manifest[name])}" for name in ("apiVersion", "kind", "metadata")]


def _line(right: Right) -> str:
    return f"- {_flow(_rule(right))} # {'' if right.is_needed else 'optional: '}{right.why}"


def _flow(value: Any) -> str:
    """YAML on one line; names and verbs need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value or '""'


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), "utf-8")
