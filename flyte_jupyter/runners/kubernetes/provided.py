"""What has to be in the namespace before a pod can start, looked for beforehand: what is missing is one error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ...config.refusal import wrong_value
from ...errors import MissingSecretError
from ...pods import PodRequest
from .error import ApiError
from .manifest import secrets
from .manifest.template import of_object

Get = Callable[[str, str], dict[str, Any]]
"""`Api.get`: an object of the namespace by its kind and name."""


def check_secrets(request: PodRequest, get: Get) -> None:
    """See that the namespace has the secrets of a request.

    Raises:
        MissingSecretError: it does not, with what makes them. ConfigValueError: no cluster can have such a secret.
    """
    wanted = secrets.wanted(request.secrets)
    missing = []
    for name in dict.fromkeys(each.secret for each in wanted):
        try:
            keys: Iterable[str] | None = get("secrets", name).get("data") or {}
        except ApiError as error:
            if error.status == 403:
                continue  # who may not read it is told by the pod
            if not error.is_missing:
                raise
            keys = None
        missing += [
            f"  {refs[0].title!r}: "
            + (f"there is no Secret {name}" if keys is None else f"the Secret {name} has no key {each.key}")
            + f"; make it with: {each.command}"
            for each, refs in wanted.items()
            if each.secret == name and (keys is None or each.key not in keys)
        ]
    if missing:
        raise MissingSecretError(
            f"{request.task}: the namespace does not have all of its secrets\n"
            + "\n".join(missing)
            + "\n  a secret (key, group) is the key of the Secret that is called as the group, else as the key"
        )


def with_template(request: PodRequest, get: Get) -> PodRequest:
    """The request with the pod template that it only names, as the namespace has it.

    Raises:
        ConfigValueError: there is none of that name.
    """
    name = (request.template or {}).get("name")
    if name is None:
        return request
    try:
        return replace(request, template=of_object(get("podtemplates", name)))
    except ApiError as error:
        if not error.is_missing:
            raise
        allowed = "the name of a PodTemplate of the namespace"
        raise wrong_value(
            "pod_template", name, allowed, "kubectl get podtemplates shows those that are there"
        ) from None
