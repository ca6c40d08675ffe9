"""What a bucket says when it does not do what it is asked, for people."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..config.refusal import shortened
from ..errors import StoreError, StoreRefusedError

_BUCKETS = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_NOBODY = ("169.254.", "metadata.google.internal", "MissingAccount")
_WRONG = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "UnauthenticatedError")
_FORBIDDEN = ("lacked the necessary privileges", "lacked valid authentication")
_SERVER = re.compile(r"<Code>(?P<code>[^<]*)</Code>.*?<Message>(?P<message>[^<]*)</Message>", re.DOTALL)
_ADDRESS = re.compile(r"uri: Some\(\s*([a-z]+://[^/\s,]+)")
_CAUSE = re.compile(r"(?:message|error): \"([^\"]+)\"")
_CERTIFICATE = re.compile(r"InvalidCertificate\(\s*(\w+)")
_LONGEST = 300

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), with AWS_REGION, and AWS_ENDPOINT_URL when "
    "it is not Amazon's, or from AWS_PROFILE in ~/.aws",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (a file)",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_RIGHTS = {
    "s3": "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
    "gs": "the role Storage Object User (roles/storage.objectUser)",
    "az": "the role Storage Blob Data Contributor",
}


def is_without_bucket(said: str) -> bool:
    """Whether it is the bucket itself that is not there."""
    return any(sign in said for sign in _BUCKETS)


def error(url: str, key: str, said: str) -> StoreError:
    """What was asked, what was said, and the next step.

    Args:
        key: what was read or written, "" when it did not come to that; said: by obstore.
    """
    parts = urlsplit(url)
    kind = parts.scheme if parts.scheme in _RIGHTS else "az"
    what = f"{url}/{key}".rstrip("/")
    credentials = f"Credentials are read from {_CREDENTIALS[kind]}, or are those of the machine or the pod."
    if is_without_bucket(said):
        name = parts.netloc.partition("@")[0]
        return StoreRefusedError(
            f"There is no bucket {name!r} for {url}.\nCreate it, or name another one; it is not created for you."
        )
    if any(sign in said for sign in _NOBODY):
        return StoreRefusedError(f"{what} cannot be reached: nobody has said who asks.\n{credentials}")
    if any(sign in said for sign in _WRONG):
        return StoreRefusedError(f"{what} refuses the credentials: {_said(said)}\n{credentials}")
    if any(sign in said for sign in _FORBIDDEN):
        return StoreRefusedError(f"{what} is refused: {_said(said)}\nWhat is needed is {_RIGHTS[kind]}.\n{credentials}")
    if "redirect" in said.lower():
        return StoreRefusedError(f"{what} is in another region: {_said(said)}\nSet AWS_REGION to that of the bucket.")
    return StoreError(f"{what} cannot be reached: {_said(said)}")


def _said(said: str) -> str:
    """What the server has said; else where it was looked for and what came of it; else the first line of obstore's, of
    which the others are for its authors.
    """
    if found := _SERVER.search(said):
        return f"{found['message']} ({found['code']})"
    line = shortened(said.partition("\n")[0], _LONGEST)
    address, causes = _ADDRESS.search(said), _CAUSE.findall(said)
    if address is None or not (causes or "Invalid" in said):
        return line
    where = f"{address[1]}: "
    if certificate := _CERTIFICATE.search(said):
        return f"{where}its certificate is not trusted ({certificate[1]}); AWS_CA_BUNDLE names a file with others"
    if "InvalidContentType" in said or "InvalidMessage" in said:
        return f"{where}it does not speak TLS; write http:// if that is meant"
    return f"{where}{causes[-1]}"
