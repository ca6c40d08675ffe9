"""The cluster of `tests/kubernetes`, for the contract of runners."""

from tests.kubernetes.conftest import cluster, image, kubeconfig

__all__ = ["cluster", "image", "kubeconfig"]
