"""What a bucket says when it refuses, for people."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_BUCKETS = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_SERVER = re.compile(r"<Code>(?P<code>[^<]*)</Code>.*?<Message>(?P<message>[^<]*)</Message>", re.DOTALL)
_LONGEST = 300

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), with AWS_REGION, and AWS_ENDPOINT_URL when "
    "it is not Amazon's",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (a file)",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_RIGHTS = {
    "s3": "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
    "gs": "the role Storage Object User (roles/storage.objectUser)",
    "az": "the role Storage Blob Data Contributor",
}


def is_without_bucket(error: str) -> bool:
    """Whether it is the bucket itself that is not there."""
    return any(sign in error for sign in _BUCKETS)


def why(url: str, key: str, error: str) -> str:
    """The text of a `StoreError`: what was asked, what was said, and the next step.

    Args:
        key: what was read or written, "" when it did not come to that; error: what obstore says.
    """
    parts = urlsplit(url)
    kind = parts.scheme if parts.scheme in _RIGHTS else "az"
    what = f"{url}/{key}".rstrip("/")
    credentials = f"Credentials are read from {_CREDENTIALS[kind]}, or are those of the machine or the pod."
    if is_without_bucket(error):
        bucket = parts.netloc.partition("@")[0]
        return f"There is no bucket {bucket!r} for {url}.\nCreate it, or name another one; it is not created for you."
    if "169.254." in error or "metadata.google.internal" in error or "MissingAccount" in error:
        return f"{what} cannot be reached: nobody has said who asks.\n{credentials}"
    said = _said(error)
    if "SignatureDoesNotMatch" in error or "InvalidAccessKeyId" in error or "UnauthenticatedError" in error:
        return f"{what} refuses the credentials: {said}\n{credentials}"
    if "lacked the necessary privileges" in error or "lacked valid authentication" in error:
        return f"{what} is refused: {said}\nWhat is needed is {_RIGHTS[kind]}.\n{credentials}"
    if "redirect" in error.lower():
        return f"{what} is in another region: {said}\nSet AWS_REGION to that of the bucket."
    return f"{what} cannot be reached: {said}"


def _said(error: str) -> str:
    """What the server has said, else the first line of what obstore says; the others are for its authors."""
    found = _SERVER.search(error)
    if found:
        return f"{found['message']} ({found['code']})"
    line = error.partition("\n")[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
