"""How a cluster is reached, and as whom: what kubectl would do, read by the official client."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import HostError, nearest
from .kubectl import IN_POD

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the credentials of its service account."""
CONNECTIONS = 64
"""Kept open for a next question. Streams have connections of their own."""


@dataclass
class Connection:
    """A way to a cluster.

    Attributes:
        context: of the kubeconfig, "" for the service account of a pod; namespace: of this user.
        configuration: of the official client; pool: of connections, of urllib3.
    """

    context: str
    namespace: str
    configuration: Any
    pool: Any

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.context or IN_POD

    @property
    def host(self) -> str:
        """Where the cluster is, as a URL."""
        return str(self.configuration.host)

    def authorization(self) -> dict[str, str]:
        """The header that says who asks; it may run a plugin of the kubeconfig, when a token has expired."""
        auth = self.configuration.auth_settings().get("BearerToken")
        return {"Authorization": auth["value"]} if auth and auth["value"] else {}


def connect(context: str, namespace: str, kubeconfig: str) -> Connection:
    """What the arguments of `Api` come to. Nothing is asked of the cluster.

    Raises:
        HostError: there is no configuration, or it is wrong; or the client is not installed.
    """
    try:
        from kubernetes import client, config
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("kubernetes"):
            raise
        raise HostError(
            "Runs in a cluster need the client of Kubernetes, which is not installed here.\n"
            'Install it: pip install "flyte_jupyter[kubernetes]"'
        ) from None

    configuration = client.Configuration()  # not the default one, which may be another library's
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.keep_alive = True  # a watch of which the other end has gone is noticed
    file = (
        kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    )  # as it is now, not when the client was imported
    if not context and not kubeconfig and not _exists(file) and _in_pod():
        config.load_incluster_config(configuration)
        name, own = "", (ACCOUNT / "namespace").read_text().strip()
    else:
        name, own = _from_kubeconfig(config, configuration, file, context)
    return Connection(name, namespace or own or "default", configuration, _pool(client, configuration))


def _from_kubeconfig(config: Any, configuration: Any, file: str, context: str) -> tuple[str, str]:
    """Name and namespace of the context, whose cluster and user are read into the configuration."""
    if not _exists(file):
        raise HostError(
            f"There is no kubeconfig at {file}, so no cluster is known. Put one there, or name one in $KUBECONFIG: "
            "the one with which `kubectl get pods` works."
        )
    try:
        contexts, current = config.list_kube_config_contexts(file)
        known = {each["name"]: each["context"] for each in contexts}
        if (name := context or current["name"]) not in known:
            near = nearest(name, known)
            raise HostError(
                f"The kubeconfig {file} has no context {name!r}; it has {', '.join(map(repr, sorted(known)))}."
                f"{f' Did you mean {near!r}?' if near else ''}"
            )
        config.load_kube_config(file, name, configuration)
    except (config.ConfigException, OSError, ValueError) as error:
        raise HostError(f"The kubeconfig {file} cannot be used: {error}") from None
    return name, known[name].get("namespace") or ""


def _exists(files: str) -> bool:
    """Whether any of the files of a kubeconfig is there: $KUBECONFIG may list several."""
    return any(Path(file).expanduser().exists() for file in files.split(os.pathsep) if file)


def _in_pod() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and (ACCOUNT / "token").exists()


def _pool(client: Any, configuration: Any) -> Any:
    """Connections that follow the configuration. Certificates are read here and now: the official client keeps those of
    a kubeconfig in temporary files, which may be cleaned away, and would read them again for each connection.
    """
    from urllib3.util.ssl_ import create_urllib3_context

    pool = client.rest.RESTClientObject(configuration).pool_manager
    context = create_urllib3_context()
    if not configuration.verify_ssl:  # the user's kubeconfig says so
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif configuration.ssl_ca_cert:
        context.load_verify_locations(cafile=configuration.ssl_ca_cert)
    else:
        context.load_default_certs()
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    for name in ("ca_certs", "ca_cert_data", "cert_file", "key_file", "cert_reqs"):
        pool.connection_pool_kw.pop(name, None)
    pool.connection_pool_kw["ssl_context"] = context
    return pool
