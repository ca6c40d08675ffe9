"""The system's keyring, through the library `keyring`; never one that keeps passwords as plain text."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from ..config.values.secret import Secret
from .providers import Unavailable

SERVICE = "flyte_jupyter"
"""Under which service the values are kept: `keyring set flyte_jupyter db/api-key`."""
_PATIENCE = 20.0
"""Seconds that the keyring has for an answer: a locked one may ask its user for a password, or nobody at all."""
_stuck: list[threading.Thread] = []
"""Questions that it has not answered in time; nothing else is asked until it has."""


def keyring(secret: Secret) -> str | None:
    """From the keyring, under the service `flyte_jupyter` and the name "key" or "group/key".

    Raises:
        Unavailable: the library is not there, no keyring of the system is, or it does not answer.
    """
    try:
        library: Any = importlib.import_module("keyring")
    except ImportError:
        raise Unavailable('not installed: pip install "flyte_jupyter[keyring]"') from None
    backends = _backends(library.get_keyring())
    allowed = [backend for backend in backends if _why_not(type(backend)) is None]
    if not allowed:
        raise Unavailable(_why(backends))
    return next((value for backend in allowed if (value := _ask(library, backend, secret.title))), None)


def _why_not(backend: type) -> str | None:
    """Why a class of keyrings is not used, going by its names and bases; None when it is."""
    if any("plain" in f"{cls.__module__}.{cls.__qualname__}".lower() for cls in backend.__mro__):
        return "keeps passwords as plain text"
    if backend.__module__.startswith("keyrings.alt."):
        return "is no keyring of the system: it may ask for a password of its own, on the terminal"
    return None


def _backends(chosen: Any) -> list[Any]:
    """Those that are asked for a password: a chain of all that work here, or one."""
    every = list(chosen.backends) if type(chosen).__module__ == "keyring.backends.chainer" else [chosen]
    return [each for each in every if type(each).__module__ not in ("keyring.backends.fail", "keyring.backends.null")]


def _why(backends: list[Any]) -> str:
    if not backends:
        return "none is set up on this system"
    classes = sorted({type(each) for each in backends}, key=lambda cls: cls.__qualname__)
    return "not used: " + "; ".join(f"{cls.__module__}.{cls.__qualname__} {_why_not(cls)}" for cls in classes)


def _ask(library: Any, backend: Any, name: str) -> str | None:
    """Ask on a thread of its own, because a locked keyring may never answer."""
    if any(thread.is_alive() for thread in _stuck):
        raise Unavailable("it has not answered an earlier question yet; is it locked?")
    _stuck.clear()
    answer: list[str | None] = []
    problem: list[Exception] = []

    def ask() -> None:
        try:
            answer.append(backend.get_password(SERVICE, name))
        except Exception as error:
            problem.append(error)

    thread = threading.Thread(target=ask, name="flyte-jupyter-keyring", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    if thread.is_alive():
        _stuck.append(thread)
        raise Unavailable(f"no answer within {_PATIENCE:g} s; is it locked?")
    if problem:
        if isinstance(problem[0], library.errors.KeyringError):
            raise Unavailable(f"{type(problem[0]).__name__}: {problem[0]}" if str(problem[0]) else "it is locked")
        raise problem[0]
    return answer[0]
