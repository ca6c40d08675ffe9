"""What has to be in the namespace before a pod can start, looked for beforehand: what is missing is one error."""

from __future__ import annotations

from dataclasses import replace

from ...config.refusal import did_you_mean, wrong_value
from ...errors import MissingSecretError
from ...pods import PodRequest
from .api import Api
from .error import ApiError
from .kubectl import to_add_to_secret, to_make_secret
from .manifest import secrets
from .manifest.template import of_object

_FORBIDDEN = 403


def check_secrets(request: PodRequest, api: Api) -> None:
    """See that the namespace has the secrets of a request.

    Raises:
        MissingSecretError: it does not, with what makes them. ConfigValueError: no cluster can have such a secret.
    """
    wanted = secrets.wanted(request.secrets)
    missing = []
    for name in dict.fromkeys(each.secret for each in wanted):
        there = _keys(name, api)
        lacking = {
            each.key: refs
            for each, refs in wanted.items()
            if each.secret == name and not (there is not None and (each.key in there or _UNKNOWN in there))
        }
        if not lacking:
            continue
        titles = ", ".join(repr(ref.title) for refs in lacking.values() for ref in refs)
        if there is None:
            missing.append(f"  {titles}: there is no Secret {name!r}")
            missing.append(f"    make it: {to_make_secret(api.place, name, *lacking)}")
        else:
            key = "such key" if len(lacking) == 1 else "such keys"
            missing.append(f"  {titles}: the Secret {name!r} has no {key}")
            missing.append(f"    add what is missing: {to_add_to_secret(api.place, name, *lacking)}")
    if missing:
        raise MissingSecretError(
            f"secrets: the namespace {api.namespace!r} does not have all those of {request.task}\n"
            + "\n".join(missing)
            + "\n  a secret (key, group) is the key of the Secret that is called as the group, else as the key"
        )


_UNKNOWN = ""
"""Instead of keys: who may not read a Secret is told by the pod what is missing."""


def _keys(name: str, api: Api) -> list[str] | None:
    """The keys of a Secret; None when it is not there."""
    try:
        return sorted(api.get("secrets", name).get("data") or {})
    except ApiError as error:
        if error.status == _FORBIDDEN:
            return [_UNKNOWN]
        if error.is_missing:
            return None
        raise


def with_template(request: PodRequest, api: Api) -> PodRequest:
    """The request with the pod template that it only names, as the namespace has it.

    Raises:
        ConfigValueError: there is none of that name.
    """
    name = (request.template or {}).get("name")
    if name is None:
        return request
    try:
        return replace(request, template=of_object(api.get("podtemplates", name)))
    except ApiError as error:
        if not error.is_missing:
            raise
    there = _templates(api)
    allowed = f"a PodTemplate of the namespace {api.namespace!r}"
    hint = did_you_mean(name, there) or f"there are: {', '.join(there) or 'none'}"
    raise wrong_value("pod_template", name, allowed, hint)


def _templates(api: Api) -> list[str]:
    try:
        return [each["metadata"]["name"] for each in api.list("podtemplates").items]
    except ApiError as error:
        if error.status == _FORBIDDEN:
            return []
        raise
