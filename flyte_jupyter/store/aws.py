"""What a machine knows of a user's account at Amazon, as `aws configure` leaves it: for buckets.

obstore reads variables and asks the machine for an identity, but does not know these files.
Source: the AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreRefusedError

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_OWN = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")
"""Variables that say who asks, so that no file is needed."""
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "token",
}
_ELSEWHERE = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")
"""What says in a profile that its credentials have to be fetched."""


def options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Arguments for obstore, besides those that it takes from variables.

    Raises:
        StoreRefusedError: the profile is not there, or needs a program that is not.
    """
    profile = _profile(environ)
    made: dict[str, Any] = {}
    endpoint = next((environ[name] for name in _ENDPOINTS if environ.get(name)), "")
    if not endpoint and (endpoint := profile.get("endpoint_url", "")):
        made["endpoint"] = endpoint
    if "region" in profile and not (environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")):
        made["region"] = profile["region"]
    if not any(environ.get(name) for name in _OWN):
        made |= _credentials(profile, environ)
    client: dict[str, Any] = {}
    if endpoint.startswith("http:"):
        client["allow_http"] = True  # who writes http means it
    if bundle := environ.get("AWS_CA_BUNDLE") or profile.get("ca_bundle"):
        client["root_certificate"] = _read(Path(bundle).expanduser())
    return {**made, "client_options": client}


def _credentials(profile: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Any]:
    if "aws_access_key_id" in profile:
        return {name: profile[key] for key, name in _KEYS.items() if key in profile}
    if not any(key in profile for key in _ELSEWHERE):
        return {}
    try:
        import boto3  # type: ignore[import-untyped,import-not-found,unused-ignore] # for those who have it
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        name = _name(environ)
        raise StoreRefusedError(
            f"The credentials of the AWS profile {name!r} are in no file; boto3, which fetches them, is not installed."
            f"\npip install boto3, or set them as variables: aws configure export-credentials --profile {name}"
        ) from None
    return {"credential_provider": Boto3CredentialProvider(boto3.Session(profile_name=_name(environ)))}


def _profile(environ: Mapping[str, str]) -> dict[str, str]:
    """What both files say of the profile; {} when nothing does."""
    name = _name(environ)
    config = _sections(Path(environ.get("AWS_CONFIG_FILE") or "~/.aws/config"))
    credentials = _sections(Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"))
    named = {section.removeprefix("profile ").strip(): said for section, said in config.items()}
    if name not in named and name not in credentials:
        if name != "default":
            there = ", ".join(sorted({*named, *credentials})) or "none"
            raise StoreRefusedError(
                f"AWS_PROFILE is {name!r}, and there is no such profile.\nThere are: {there} (in ~/.aws)"
            )
        return {}
    return {**named.get(name, {}), **credentials.get(name, {})}


def _name(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(path.expanduser().read_text())
    except (OSError, configparser.Error, UnicodeDecodeError):  # as if it was not there: variables may say all
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreRefusedError(
            f"The certificates in {path} (AWS_CA_BUNDLE) cannot be read: {os.strerror(error.errno or 0)}."
        ) from None
