"""`task.pod_manifest()`: what a cluster would be asked for, as YAML, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import session
from .config.cluster import Cluster
from .config.credential import masked_spec
from .config.show import page
from .config.specification import written
from .container.images import Images
from .engine.request import notes as notes_of
from .engine.request import pod_request
from .errors import ConfigError
from .host.given import PREFIX
from .markup import Html, el
from .pack.call import seal_code
from .pods import ROOT, PodRequest
from .runners.kubernetes.features import Features
from .runners.kubernetes.manifest.job import job
from .runners.kubernetes.manifest.job import notes as job_notes
from .runners.kubernetes.signing import key_secret, user

if TYPE_CHECKING:
    from .task import Task

RUN = "run"
"""Stands for the name of the run."""
CURRENT = (1, 33)
"""The Kubernetes whose fields are shown when the cluster is not asked for its own version."""


@dataclass(frozen=True, repr=False)
class PodManifest:
    """A Job as Kubernetes takes it; shown as YAML, in which variables that look like credentials are hidden.

    Attributes:
        job: as plain data, with all values.
        notes: what of the configuration does not hold as it was given, and what is not known yet; one line each.
    """

    job: Mapping[str, Any]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        return written(_masked(self.job))

    def __repr__(self) -> str:
        return "".join(f"# {note}\n" for note in self.notes) + str(self).rstrip()

    def _repr_html_(self) -> str:
        said = [el("div", note) for note in self.notes]
        return page(
            str(self.job["metadata"]["name"]), "what the cluster is asked for", *said, Html(el("pre", str(self)))
        )


def pod_manifest(task: Task[..., Any], *, validate: bool = False) -> PodManifest:
    """What the cluster would be asked for when the task is run there with `flyte.run`.

    Args:
        validate: have the cluster check it, as if it were created; else nobody is asked, and the fields are those of a
            current Kubernetes.

    Raises:
        ConfigError: no cluster can do it, or this one refuses it.
    """
    here = session.current()
    options = replace(session.defaults, mode="remote")
    cluster = here.sites.cluster_of(task.spec, options, session.cluster) or Cluster()
    place = replace(here.place(options), cluster=cluster)
    calls = seal_code(here.home.key(), task).calls
    pod = replace(pod_request(task, place, run=RUN, action=ROOT, parent=None), calls=calls)
    said = notes_of(task, "kubernetes")
    try:
        pod = replace(pod, image_uri=Images(cluster).wanted(task.spec.image).uri)
    except ConfigError as problem:
        if validate:
            raise
        said.append(str(problem).splitlines()[0])
    made = checked(pod, cluster) if validate else assumed(pod, cluster)
    return replace(made, notes=[*said, *made.notes])


def assumed(pod: PodRequest, cluster: Cluster) -> PodManifest:
    """The manifest of a request for a current Kubernetes. Raises `ConfigValueError`."""
    named = (pod.template or {}).get("name")
    said = [f"fields as for Kubernetes {'.'.join(map(str, CURRENT))}; pod_manifest(validate=True) asks the cluster"]
    if named is not None:
        said.append(f"pod_template: what {named!r} is, only the cluster knows; it is left out here")
        pod = replace(pod, template=None)
    return _manifest(pod, cluster, Features(CURRENT, kueue="v1beta1" if cluster.queue else ""), said)


def checked(pod: PodRequest, cluster: Cluster) -> PodManifest:
    """The manifest of a request that its cluster has checked. Raises `ConfigError`."""
    from .runners.kubernetes.api import Api
    from .runners.kubernetes.features import features_of
    from .runners.kubernetes.provided import check_secrets, with_template

    api = Api(cluster.context or "", cluster.namespace or "")
    try:
        features = features_of(api)
        pod = with_template(pod, api)
        made = _manifest(pod, cluster, features, [])
        check_secrets(pod, api)
        api.create("jobs", made.job, dry_run=True, strict=features.strict_fields)
    finally:
        api.close()
    return made


def _manifest(pod: PodRequest, cluster: Cluster, features: Features, said: list[str]) -> PodManifest:
    image = pod.image_uri or "unknown"
    made = job(pod, cluster, features, image=image, call_secret=pod.name, key_secret=key_secret(user()))
    return PodManifest(made, [*said, *job_notes(pod, cluster, features)])


def _masked(job: Mapping[str, Any]) -> Any:
    """What is shown: a variable of ours is no credential, whatever it is called."""
    shown = masked_spec(dict(job))
    (given, *_), (primary, *_) = (each["spec"]["template"]["spec"]["containers"] for each in (job, shown))
    primary["env"] = [
        own if own["name"].startswith(PREFIX) else masked
        for own, masked in zip(given["env"], primary["env"], strict=True)
    ]
    return shown
