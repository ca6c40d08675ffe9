"""The name of an image on a registry, and its parts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_DEFAULT_HOST = "docker.io"


@dataclass(frozen=True)
class Reference:
    """`host[:port]/path:tag`.

    Attributes:
        host: of the registry, with its port; path: of the image there; tag: which one.
    """

    host: str
    path: str
    tag: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}:{self.tag}"

    @classmethod
    def of(cls, registry: str, name: str, tag: str) -> Reference:
        """An image of a registry, given as `host/path` or, for Docker Hub, as `path`."""
        host, _, path = registry.partition("/")
        if "." not in host and ":" not in host and host != "localhost":
            host, path = _DEFAULT_HOST, registry
        return cls(host, f"{path}/{name}" if path else name, tag)

    @property
    def is_near(self) -> bool:
        """Whether the registry is on this machine: such ones are asked without TLS, as docker does."""
        name = self.host.rpartition(":")[0] or self.host
        if name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False
