"""The frame around every payload: versions that can be read, and a signature that is checked, before unpickling.

    magic (8) · header length (4) · signature (32) · header (JSON) · parts, each at a multiple of 64

The signature is HMAC-SHA256 over the header and all parts; the header names their sizes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import platform
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RuntimeSystemError

MAGIC = b"FLYTEJ\x00\x01"
_FIXED = struct.Struct(">8sI32s")
_ALIGN = 64
"""Arrays are used where they lie in the file; numpy wants them aligned."""


@dataclass(frozen=True)
class Envelope:
    """A payload whose signature was right.

    Attributes:
        header: plain data, with "kind" and "versions".
        parts: the bytes; pickled data first, then the buffers it refers to.
    """

    header: dict[str, Any]
    parts: list[memoryview]


class PayloadError(RuntimeSystemError):
    """A payload that is not to be opened: damaged, signed by somebody else, or made by other versions."""


def versions() -> dict[str, str]:
    """What has to agree between the one who pickles and the one who unpickles."""
    import cloudpickle

    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "implementation": platform.python_implementation(),
        "cloudpickle": cloudpickle.__version__,
    }


def seal(key: bytes, header: dict[str, Any], parts: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """The bytes of an envelope, in pieces, so that large buffers are not copied."""
    sizes = [memoryview(part).nbytes for part in parts]
    head = json.dumps({**header, "versions": versions(), "parts": sizes}, separators=(",", ":")).encode()
    mac = hmac.new(key, head, hashlib.sha256)
    body: list[bytes | memoryview] = []
    at = _FIXED.size + len(head)
    for part, size in zip(parts, sizes, strict=True):
        mac.update(part)
        body += [bytes(-at % _ALIGN), part]
        at += -at % _ALIGN + size
    return [_FIXED.pack(MAGIC, len(head), mac.digest()), head, *body]


def header_of(data: memoryview) -> dict[str, Any]:
    """What an envelope says of itself, for those who pass it on: nothing of it is verified. {} when it is damaged."""
    try:
        _, length, _ = _FIXED.unpack(data[: _FIXED.size])
        header = json.loads(bytes(data[_FIXED.size : _FIXED.size + length]))
    except (struct.error, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def unseal(key: bytes, data: memoryview, *, what: str, is_for: Mapping[str, str], opens: bool = True) -> Envelope:
    """Check the signature, what the payload was sealed for, and the versions.

    Args:
        what: the payload in words, for the error.
        is_for: what the header has to say; a payload that somebody has moved is signed, but not for its new place.
        opens: whether it is to be unpickled; who only reads its header may have other versions.

    Raises:
        PayloadError: damaged, not signed with `key`, meant for another place, or made by another Python minor version.
    """
    if len(data) < _FIXED.size:
        raise PayloadError("PayloadDamaged", f"The {what} is cut off: {len(data)} bytes.")
    magic, length, signature = _FIXED.unpack(data[: _FIXED.size])
    if magic != MAGIC:
        raise PayloadError("PayloadDamaged", f"The {what} is not a payload of flyte_jupyter, or of a newer one.")
    head = data[_FIXED.size : _FIXED.size + length]
    mac = hmac.new(key, head, hashlib.sha256)
    header, parts, at = {}, [], _FIXED.size + len(head)
    try:
        header = json.loads(bytes(head))
        for size in header["parts"]:
            at += -at % _ALIGN
            parts.append(data[at : at + size])
            mac.update(parts[-1])
            at += size
    except (ValueError, TypeError, KeyError):
        header = {}  # what is damaged cannot be signed: told below
    if not hmac.compare_digest(mac.digest(), signature):
        raise PayloadError(
            "SignatureMismatch",
            f"The {what} is damaged or was signed with another key, so it is not opened.\n"
            "Run the task again; if this repeats, the store is shared with somebody who has another key.",
        )
    if any(header.get(name) != value for name, value in is_for.items()):
        raise PayloadError(
            "PayloadMisplaced", f"What lies at the {what} is something else: it was made for {_of(header)}."
        )
    if opens:
        check_versions(header["versions"], what)
    return Envelope(header, parts)


def _of(header: dict[str, Any]) -> str:
    return " ".join(str(header[name]) for name in ("kind", "name", "digest") if name in header) or "an unknown place"


def check_versions(theirs: Mapping[str, str], what: str) -> None:
    """Raises `PayloadError` for a payload that another Python minor version has made, or another cloudpickle."""
    ours = versions()
    different = [name for name in ("python", "implementation") if theirs.get(name) != ours[name]]
    if theirs.get("cloudpickle", "").split(".")[0] != ours["cloudpickle"].split(".")[0]:
        different.append("cloudpickle")
    if different:
        rows = "\n".join(f"  {name}: made with {theirs.get(name)}, opened with {ours[name]}" for name in different)
        raise PayloadError(
            "VersionMismatch",
            f"The {what} cannot be opened here, because pickles do not travel between these versions:\n{rows}\n"
            "Use the same versions on both sides.",
        )
