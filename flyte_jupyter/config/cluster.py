"""A cluster as a place for tasks: which one it is, where its data go, and what all of its pods have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigError
from .refusal import did_you_mean, gathered, raise_all, whole, wrong_type, wrong_value
from .toml import parse_toml, where
from .values import pod_spec
from .values.frozen import FrozenDict

IN_CLUSTER = "cluster"
"""The store without a bucket: inputs travel in a Secret, outputs come back with the log."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Settings of one place; comparable, so that each place has one engine.

    Attributes:
        context: of the kubeconfig, None for its current one, or for the service account when in a pod.
        namespace: None for that of the context.
        store: URL of a bucket or folder that kernel and pods reach (s3://, gs://, az://, file://), or "cluster".
        store_secret: name of a Secret whose keys become variables of every pod, such as AWS_ACCESS_KEY_ID; None where
            pods have an identity of their own.
        store_claim: "CLAIM:/mount/path" of the PersistentVolumeClaim that a file:// store is on, which every pod mounts
            there; None where pods have it from elsewhere, such as their pod_template.
        image: reference of the image of tasks that name none, "" for one that is built from this installation.
        registry: where images are pushed to, such as "registry.example.com/team", "" for none.
        builder: "docker", "docker:NAME" for a builder of docker buildx (also one in the cluster), "podman", "buildah",
            or "" for the first that is there.
        base_image: what Debian images are built from instead of python:X.Y-slim-bookworm, such as the same on a mirror;
            "{python}" in it is X.Y.
        images: references by the names of `Image.from_ref_name`.
        platform: the architecture of the nodes, "linux/amd64" or "linux/arm64".
        pull_secrets: names of Secrets for pulling images.
        service_account: of tasks that call tasks and name none, None for "flyte-jupyter", which comes with the Role.
        queue: the LocalQueue of Kueue, None for none.
        interruptible: fields of the pod spec for tasks that may be interrupted: "tolerations", "affinity",
            "nodeSelector", in Kubernetes' own spelling.
        node_selectors: labels of the nodes that have an accelerator, by its name in `Resources(gpu=...)`.
        run_as_user: the user of containers by number, None for 1000, and with a file:// store for you.
        run_as_root: whether containers may run as the user that their image says, root included.
        owned_by_notebook: whether runs end with the pod that the notebook is in, which has to be in that namespace.
        ttl: seconds that a finished Job stays, for its log.
        backoff_limit: lost pods of an action that are replaced; interruptions: the same where tasks are interruptible.
        built: references of the images that were built for a run, by the digest of their recipe; no setting.
    """

    context: str | None = None
    namespace: str | None = None
    store: str = IN_CLUSTER
    store_secret: str | None = None
    store_claim: str | None = None
    image: str = ""
    registry: str = ""
    builder: str = ""
    base_image: str = ""
    images: Mapping[str, str] | None = None
    platform: str = "linux/amd64"
    pull_secrets: tuple[str, ...] = ()
    service_account: str | None = None
    queue: str | None = None
    interruptible: Mapping[str, Any] | None = None
    node_selectors: Mapping[str, Mapping[str, str]] | None = None
    run_as_user: int | None = None
    run_as_root: bool = False
    owned_by_notebook: bool = False
    ttl: int = 86400
    backoff_limit: int = 3
    interruptions: int = 20
    built: Mapping[str, str] = field(default_factory=FrozenDict)

    @property
    def title(self) -> str:
        """Which one it is, for people and for records."""
        return f"{self.context or 'current context'}/{self.namespace or 'its namespace'}"

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain data; for the pods that start pods."""
        return {name: value for name, value in vars(self).items() if value != getattr(_DEFAULT, name)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cluster:
        """The same, read back."""
        known = {"pull_secrets": tuple(data["pull_secrets"])} if "pull_secrets" in data else {}
        tables = {name: FrozenDict(value) for name, value in data.items() if isinstance(value, Mapping)}
        return cls(**{**data, **tables, **known})


_DEFAULT = Cluster()
SECTION = "kubernetes"
OF_QUEUES = ("context", "namespace", "local_queue")
"""What the section of a queue says of the cluster that its tasks run in."""
MODES = ("local", "remote")
_OF_PLACEMENT = ("tolerations", "affinity", "nodeSelector")
PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True)
class RemoteSettings:
    """What the settings file says of clusters.

    Attributes:
        mode: of runs that name none: "local" or "remote".
        cluster: where remote runs go; queues: where those of queues go that name a cluster of their own, or a
            LocalQueue of Kueue.
    """

    mode: str = MODES[0]
    cluster: Cluster = Cluster()
    queues: Mapping[str, Cluster] = field(default_factory=dict)


def parse_clusters(text: str, path: Path) -> RemoteSettings:
    """What a settings file says of clusters.

        [run]
        mode = "remote"         # every run, unless it says mode="local"

        [kubernetes]            # the attributes of `Cluster`
        context = "team"
        store = "s3://bucket/folder"

        [queues.gpu]            # tasks with queue="gpu" run there, whatever the mode
        context = "gpu-cluster"
        namespace = "research"
        local_queue = "a100"    # of Kueue

    Raises:
        ConfigTypeError, ConfigValueError: it says what is not known here, all of it, with file and line.
    """
    said = parse_toml(text, "settings", path)
    problems: list[ConfigError] = []

    def given(section: list[str], wanted: Mapping[str, Callable[[str, Any], Any]], said: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in said.items() if isinstance(said, dict) else ():
            place = where(path, text, section, name)
            if name not in wanted:
                hint = did_you_mean(name, wanted)
                problems.append(wrong_value(place, name, ", ".join(wanted), hint))
                continue
            with gathered(problems):
                found[name] = wanted[name](place, value)
        return found

    run = given(["run"], {"mode": _mode}, said.get("run", {}))
    cluster = Cluster(**given([SECTION], _ACCEPT, said.get(SECTION, {})))
    queues: dict[str, Cluster] = {}
    for name, lane in said.get("queues", {}).items():
        if isinstance(lane, dict):
            own = {key: value for key, value in lane.items() if key in OF_QUEUES}
            if own:
                found = given(["queues", name], dict.fromkeys(OF_QUEUES, _text), own)
                queue = found.pop("local_queue", cluster.queue)
                queues[name] = replace(cluster, **found, queue=queue)
    raise_all(problems)
    return RemoteSettings(run.get("mode", MODES[0]), cluster, queues)


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong_type(place, value, "a str that is not empty")
    return value


def _texts(place: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise wrong_type(place, value, 'a list such as ["name"]')
    return tuple(value)


def _table(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong_type(place, value, "a section")
    return FrozenDict(value)


def _placement(place: str, value: Any) -> Mapping[str, Any]:
    found = _table(place, value)
    problems: list[ConfigError] = [
        wrong_value(place, name, ", ".join(_OF_PLACEMENT), did_you_mean(name, _OF_PLACEMENT))
        for name in found
        if name not in _OF_PLACEMENT
    ]
    problems += pod_spec.problems({name: each for name, each in found.items() if name in _OF_PLACEMENT}, place)
    raise_all(problems)
    return found


def _labels(place: str, value: Any) -> Mapping[str, Any]:
    found = _table(place, value)
    for name, labels in found.items():
        if not isinstance(labels, dict) or not all(isinstance(each, str) for each in labels.values()):
            raise wrong_type(f"{place}.{name}", labels, 'labels of nodes such as {"accelerator" = "a100"}')
    return found


def _count(allowed: str) -> Callable[[str, Any], int]:
    def accept(place: str, value: Any) -> int:
        if not whole(value, 0):
            raise wrong_type(place, value, allowed)
        return int(value)

    return accept


def _flag(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(place, value, "true or false")
    return value


def _registry(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value or "://" in value or value != value.strip("/ "):
        hint = f"try {value.partition('://')[2].strip('/ ')!r}" if isinstance(value, str) and "://" in value else ""
        raise wrong_value(place, value, 'a host and a path, such as "registry.example.com/team"', hint)
    return value


def _references(place: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) and item for item in value.values()):
        raise wrong_type(place, value, 'a section such as {"default": "registry.example.com/team/tasks:1"}')
    return FrozenDict(value)


def one_of(place: str, value: Any, choices: tuple[str, ...]) -> str:
    """A text that is one of a few. Raises `ConfigValueError`."""
    if value not in choices:
        raise wrong_value(place, value, " or ".join(map(repr, choices)), did_you_mean(str(value), choices))
    return str(value)


def _platform(place: str, value: Any) -> str:
    return one_of(place, value, PLATFORMS)


def _mode(place: str, value: Any) -> str:
    return one_of(place, value, MODES)


def _store(place: str, value: Any) -> str:
    if not isinstance(value, str) or (value != IN_CLUSTER and "://" not in value):
        raise wrong_value(place, value, f'"{IN_CLUSTER}", or a URL such as "s3://bucket/folder"')
    return value


def _claim(place: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9.-]*:/[^:]+", value):
        raise wrong_value(place, value, 'a claim and where it is mounted, such as "shared:/mnt/shared"')
    return value


_RULES: dict[str, Callable[[str, Any], Any]] = {
    "store": _store,
    "store_claim": _claim,
    "pull_secrets": _texts,
    "interruptible": _placement,
    "node_selectors": _labels,
    "registry": _registry,
    "images": _references,
    "platform": _platform,
    "run_as_user": _count("the number of a user, 0 for root"),
    "run_as_root": _flag,
    "owned_by_notebook": _flag,
    "ttl": _count("seconds, 0 or more"),
    "backoff_limit": _count("a whole number, 0 or more"),
    "interruptions": _count("a whole number, 0 or more"),
}
_ACCEPT: dict[str, Callable[[str, Any], Any]] = {
    each.name: _RULES.get(each.name, _text) for each in fields(Cluster) if each.name != "built"
}


def with_folder(cluster: Cluster, user: int) -> Cluster:
    """The same, when its store is a folder: with pods that may read and write there what you do.

    Args:
        user: the number of the one who works here.

    Raises:
        ConfigValueError: they could not, or its claim is mounted elsewhere.
    """
    folder = urlsplit(cluster.store)
    claim, _, mount = (cluster.store_claim or "").partition(":")
    if claim and not (folder.scheme == "file" and f"{folder.path}/".startswith(f"{mount.rstrip('/')}/")):
        raise wrong_value("store", cluster.store, f"a folder on the claim {claim!r}, such as 'file://{mount}/flyte'")
    if folder.scheme != "file" or cluster.run_as_root or cluster.run_as_user is not None:
        return cluster
    if user == 0:
        given = f"{cluster.store!r} and no run_as_user"
        hint = "what root writes there pods may not read that run as user 1000; run_as_user=0 lets them run as root"
        raise wrong_value("store", given, "who pods run as", hint)
    return replace(cluster, run_as_user=user)


def cluster_of(given: Mapping[str, Any], base: Cluster, what: str) -> Cluster:
    """A cluster with some settings replaced; None is "not given".

    Raises:
        ConfigTypeError, ConfigValueError: unknown settings, and values that are not accepted; all in one error.
    """
    found: dict[str, Any] = {}
    problems: list[ConfigError] = []
    for name, value in given.items():
        if name not in _ACCEPT:
            hint = did_you_mean(name, _ACCEPT)
            problems.append(wrong_value(what, name, ", ".join(_ACCEPT), hint))
        elif value is not None:
            with gathered(problems):
                found[name] = _ACCEPT[name](f"{what}({name}=)", list(value) if isinstance(value, tuple) else value)
    raise_all(problems)
    return replace(base, **found)
