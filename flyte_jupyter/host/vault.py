"""The values of secrets while the Host lives: in its memory, by the kernel that gave them, and never written down."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..config.values.secret import MOUNT, Secret
from ..credentials.keychain import keyring
from ..credentials.mask import Mask
from ..credentials.providers import Unavailable, dotenv, from_variables
from ..errors import HostError
from ..pods import PodRequest, SecretRef
from .mounts import SecretFiles

_PATIENCE = 60.0
"""Seconds that a kernel has for giving its secrets again to a Host that follows one that died; it may be busy."""
_LOOKS_EVERY = 1.0
"""Seconds between looks whether the kernel still lives."""
_NOTHING = Mask(())


class Vault:
    """What `flyte_jupyter.credentials` has found, for attempts alone: nobody else gets a value out of it.

    A value belongs to a session, the name of a kernel: either to a secret just as a task asks for it, or to a key of a
    group, as the kernel's user has given it; that one counts more.

    Args:
        files: where those go that are files; is_gone: whether a kernel is known to have ended.
    """

    def __init__(self, files: SecretFiles, is_gone: Callable[[str | None], bool]) -> None:
        self._files = files
        self._is_gone = is_gone
        self._found: defaultdict[str | None, dict[SecretRef, str]] = defaultdict(dict)
        self._given: dict[str | None, dict[tuple[str | None, str], str]] = {}
        self._ever: defaultdict[str | None, set[str]] = defaultdict(set)
        self._masks: dict[str | None, Mask] = {}
        self._came = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Vault [{sum(map(len, self._ever.values()))} values]>"

    def take(
        self, session: str | None, found: Iterable[Sequence[Any]], given: Iterable[Sequence[Any]] | None = None
    ) -> None:
        """Add what was found, each a secret and its value, or None to forget it; replace what was given, each a group,
        a key and a value.
        """
        for *secret, value in found:
            if value is None:
                self._found[session].pop(SecretRef(*secret), None)
            else:
                self._found[session][SecretRef(*secret)] = value
                self._see(session, value)
        if given is not None:
            self._given[session] = {(group, key): value for group, key, value in given}
            for value in self._given[session].values():
                self._see(session, value)
        self._came.set()
        self._came = asyncio.Event()

    def find(self, session: str | None, ref: SecretRef, environ: Mapping[str, str] | None) -> str | None:
        """The value for an attempt; from the kernel's environment when nobody has found one."""
        value = self._given.get(session, {}).get((ref.group, ref.key)) or self._found[session].get(ref)
        if value is None and environ is not None:
            value = from_variables(_secret(ref), environ)
            if value is not None:
                self._see(session, value)
        return value

    def unknown(
        self, session: str | None, refs: Iterable[SecretRef], environ: Mapping[str, str] | None
    ) -> list[SecretRef]:
        """Those that have no value."""
        return [ref for ref in refs if self.find(session, ref, environ) is None]

    async def until_known(
        self, session: str | None, refs: Sequence[SecretRef], environ: Mapping[str, str] | None, folder: str
    ) -> None:
        """Wait until all have a value, as long as their kernel may still give it; then look where nobody is asked.

        Args:
            folder: where `.env` is looked for.
        """
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self.unknown(session, refs, environ) and not self._is_gone(session):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._came.wait(), min(left, _LOOKS_EVERY))
        if unknown := self.unknown(session, refs, environ):
            found = await asyncio.to_thread(lambda: [(*ref, _looked_up(ref, Path(folder))) for ref in unknown])
            self.take(session, found)

    def hand_out(self, pod: PodRequest, to: str, environ: Mapping[str, str]) -> dict[str, Any]:
        """What an attempt is told of its secrets: environment variables, the folder with the files or None, and names
        and values of those that it has to keep out of what it tells. To be taken back when it has ended.

        Args:
            to: the name of the folder.

        Raises:
            HostError: one has been forgotten meanwhile, or the files cannot be written. OSError: the same.
        """
        if not pod.secrets:
            return {"env": {}, "folder": None, "values": []}
        values: dict[SecretRef, str] = {}
        for ref in pod.secrets:
            value = self.find(pod.session, ref, environ)
            if value is None:
                raise HostError(f"the value of {ref.title!r} has been forgotten meanwhile")
            values[ref] = value
        mounted = {ref.title: value for ref, value in values.items() if ref.mounted}
        return {
            "env": {ref.env_var: value for ref, value in values.items() if ref.env_var is not None},
            "folder": str(self._files.write(to, mounted)) if mounted else None,
            "values": sorted({(ref.title, value) for ref, value in values.items()}),
        }

    def take_back(self, handed_out: Mapping[str, Any]) -> None:
        """The attempt has ended: its files go."""
        self._files.remove(handed_out["folder"])

    def mask(self, session: str | None) -> Mask:
        """For what the attempts of a session print: every value that it has ever had here."""
        if session not in self._ever:
            return _NOTHING
        mask = self._masks.get(session)
        if mask is None:
            mask = self._masks[session] = Mask(self._ever[session])
        return mask

    def _see(self, session: str | None, value: str) -> None:
        if value not in self._ever[session]:
            self._ever[session].add(value)
            self._masks.pop(session, None)


def _secret(ref: SecretRef) -> Secret:
    mount = PurePosixPath(MOUNT) if ref.mounted else None
    return Secret(ref.key, ref.group, mount, ref.env_var)


def _looked_up(ref: SecretRef, folder: Path) -> str | None:
    """From `.env` or the keyring; what goes wrong there is for the Host's log, and the secret stays unknown."""
    try:
        return dotenv(_secret(ref), folder) or keyring(_secret(ref))
    except Unavailable:
        return None
    except Exception:
        traceback.print_exc()
        return None
