"""A control group of one's own from systemd (Linux): a scope that is delegated, so that nobody else touches it.

A desktop's programs run below `user@UID.service`, which ends with the user's last session; so does a scope. Processes
of other sessions (ssh) outlive these, so they are moved there only when the user's services do too (lingering).
Source: systemd's documentation of delegation and of its D-Bus interface.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
import time
from pathlib import Path

_WITHIN = 2.0


def give_own_group() -> bool:
    """Have this process moved to a scope of its own, made by the user's systemd; whether that was done."""
    bus = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}", "bus")
    busctl = shutil.which("busctl")
    if busctl is None or not bus.is_socket() or not _would_live_on():
        return False
    pid = os.getpid()
    name = f"flyte_jupyter-{pid}-{time.monotonic_ns()}.scope"
    properties = [
        *("PIDs", "au", "1", str(pid)),
        *("Delegate", "b", "true"),
        *("Description", "s", "flyte_jupyter: local Host"),
    ]
    call = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"]
    command = [busctl, "--user", "call", *call, "StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail"]
    environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}", "XDG_RUNTIME_DIR": str(bus.parent)}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run([*command, "3", *properties, "0"], env=environ, check=True, capture_output=True, timeout=_WITHIN)
        return _is_in(name)
    return False


def _would_live_on() -> bool:
    uid = os.getuid()
    lingers = Path("/var/lib/systemd/linger", getpass.getuser()).exists()
    return lingers or f"/user@{uid}.service/" in Path("/proc/self/cgroup").read_text()


def _is_in(scope: str) -> bool:
    """Whether this process is there; systemd answers before it has moved it."""
    until = time.monotonic() + _WITHIN
    while time.monotonic() < until:
        if f"/{scope}" in Path("/proc/self/cgroup").read_text():
            return True
        time.sleep(0.005)  # once per Host, before it serves anybody
    return False
