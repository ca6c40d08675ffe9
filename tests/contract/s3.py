"""Buckets for tests, in any store that speaks the protocol of S3.

`FLYTE_JUPYTER_TEST_S3` is the URL of a bucket, such as `s3://tests`; what else there is to say of it, the variables
that every user has say, such as `AWS_ENDPOINT_URL`. The bucket is made when it is not there.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from tests.conftest import lacking

URL = os.environ.get("FLYTE_JUPYTER_TEST_S3", "")


@contextmanager
def bucket() -> Iterator[str]:
    """The URL of an empty place in the bucket, which is empty again at the end."""
    if not URL:
        lacking("a bucket: $FLYTE_JUPYTER_TEST_S3")
    import obstore
    from obstore.store import from_url

    _make()
    url = f"{URL}/{uuid.uuid4().hex}"
    place = from_url(url, client_options={"allow_http": True})  # before a test gives itself other credentials
    yield url
    for found in obstore.list(place):
        obstore.delete(place, [each["path"] for each in found])


def credentials() -> dict[str, str]:
    """Of the bucket, as variables of this process and of pods."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def decides_at_once() -> bool:
    """Whether the server lets one of several writers win that put a key at the same time, if it is not there. Swift
    looks first, and writes then.
    """
    try:
        with urllib.request.urlopen(os.environ.get("AWS_ENDPOINT_URL", "https://s3.amazonaws.com")) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        error.close()
        headers = error.headers
    return "X-Openstack-Request-Id" not in headers


def _make() -> None:
    """Make the bucket, when it is not there."""
    import obstore
    from obstore.store import S3Store

    root = S3Store(urlsplit(URL).netloc, client_options={"allow_http": True})
    address = obstore.sign(root, "PUT", "", timedelta(minutes=1))
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="PUT", data=b"")).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 409:  # it is there
            raise
