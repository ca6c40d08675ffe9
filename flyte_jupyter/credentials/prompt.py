"""Asking the person at the notebook or terminal."""

from __future__ import annotations

import sys
import threading

from ..config.values.secret import Secret
from .memory import remembered
from .providers import Unavailable


def prompt(secret: Secret, purpose: str = "") -> str | None:
    """Ask for a value, unseen; None when the answer is empty. What was answered is remembered.

    Args:
        purpose: what it is for, as in "for my_env.train".

    Raises:
        Unavailable: nobody can be asked here.
    """
    if threading.current_thread() is not threading.main_thread():
        raise Unavailable("not asked for outside the main thread")
    if not _in_kernel() and not (sys.stdin is not None and sys.stdin.isatty()):
        raise Unavailable("not asked for: there is no terminal")
    of_group = f' of group "{secret.group}"' if secret.group else ""
    words = f'Secret "{secret.key}"{of_group}{purpose and " " + purpose} (kept in memory only): '
    import getpass

    try:
        value = getpass.getpass(words)
    except EOFError:
        raise Unavailable("not asked for: there is no more input") from None
    except Exception as error:
        if type(error).__name__ != "StdinNotImplementedError":  # of ipykernel, which need not be there
            raise
        raise Unavailable("not asked for: this front end takes no input") from None
    if value:
        remembered[secret.group or None, secret.key] = value
    return value or None


def _in_kernel() -> bool:
    """Whether this is the process of a notebook, where `getpass` asks through the front end."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
