"""Credentials in URLs are nowhere to be seen, and come back where they are needed."""

from __future__ import annotations

import pytest

from flyte_jupyter.config.image import index_url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host/simple", "https://***@host/simple"),
        ("https://token@host:8080/simple", "https://***@host:8080/simple"),
        ("git+https://me:p%40ss@host/x.git@v1", "git+https://***@host/x.git@v1"),
        ("x @ http://a:b@h/x.whl ; python_version > '3'", "x @ http://***@h/x.whl ; python_version > '3'"),
        ("--index-url=https://a:b@h\nhttps://c:d@i/", "--index-url=https://***@h\nhttps://***@i/"),
        ("https://host/simple", "https://host/simple"),
        ("https://host/a@b", "https://host/a@b"),
        ("git+ssh://git@host/x.git", "git+ssh://git@host/x.git"),
        ("https://${TOKEN}@host/", "https://${TOKEN}@host/"),
        ("https://me:${TOKEN}@host/", "https://me:${TOKEN}@host/"),
        ("https://${USER}secret@host/", "https://***@host/"),
        ("x@y.z six==1.0", "x@y.z six==1.0"),
    ],
)
def test_there_and_back(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_url, "known", {})
    assert shown == index_url.hide(text)
    assert shown == index_url.take_out(text)
    assert text == index_url.put_back(shown, index_url.known)


def test_what_is_not_known_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_url, "known", {})
    shown = index_url.take_out("https://a:b@h/ https://a:b@i/")
    first = dict([next(iter(index_url.known.items()))])
    assert "https://a:b@h/ https://***@i/" == index_url.put_back(shown, first)


def test_the_names_of_the_variables_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_url, "known", {})
    index_url.take_out("https://a:b@h/")
    index_url.take_out("https://c:d@h/")
    assert ["c:d"] == list(index_url.known.values())
    assert {"A": "1"} == index_url.without({"A": "1", **index_url.known})
