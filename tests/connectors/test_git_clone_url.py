"""Clone addresses: what is accepted, what is refused, and the key they stand for."""

import pytest
from pydantic import ValidationError

from connectors.clone_url import clone_url, is_address, known_origin, repository_key
from connectors.connector import SourceError
from connectors.git import GitOptions


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://github.com/Acme/Shop.git", "github.com/acme/shop"),
        ("https://GitHub.com/Acme/Shop", "github.com/acme/shop"),
        ("https://github.com/Acme/Shop/", "github.com/acme/shop"),
        ("http://127.0.0.1:4321/acme/shop.git", "127.0.0.1/acme/shop"),
        ("ssh://git@github.com/Acme/Shop.git", "github.com/acme/shop"),
        ("ssh://git@host:7999/team/shop.git", "host/team/shop"),
        ("git+ssh://git@host/team/shop.git", "host/team/shop"),
        ("git@github.com:Acme/Shop.git", "github.com/acme/shop"),
        ("git@host:/srv/git/shop.git", "host/srv/git/shop"),
        ("https://[::1]:8080/a/b", "::1/a/b"),
    ],
)
def test_accepted_addresses_have_one_key_each(text: str, key: str) -> None:
    """The same repository has the same key by https, ssh and the short form."""
    assert clone_url(text).key == key
    assert repository_key(text) == key
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c id",
        "ext::sh%20-c%20id",
        "file:///etc",
        "FILE:///etc",
        "fd::17",
        "git://host/path",
        "ftp://host/path",
        "-u./payload",
        "--upload-pack=id",
        "--upload-pack=id@host:path",
        "ssh://-oProxyCommand=id/path",
        "ssh://git@-oProxyCommand=id/path",
        "-oProxyCommand=id@host:path",
        "git@-host:path",
        "git@host:--upload-pack=id",
        "git@host::path",
        "https://host/pa th",
        "https://host/path\n",
        "https://host/\x00",
        "https://host\\@evil/path",
        "https://host/path?a=b",
        "https://host/path#f",
        "https://host",
        "https://",
        "https://ho$t/path",
        "https://host:port/path",
        "https:/host/path",
        "https::https://host/path",
    ],
)
def test_hostile_addresses_are_refused(text: str) -> None:
    """Helpers, options in disguise, local protocols and control signs never reach git."""
    with pytest.raises(SourceError, match="clone address"):
        clone_url(text)


def test_hostile_addresses_are_refused_in_the_settings_too() -> None:
    """The settings name the accepted forms; nothing of the kind becomes a path."""
    for text in ("ext::sh -c id", "--upload-pack=id", "file:///etc"):
        with pytest.raises(ValidationError, match="use https://host/path"):
            GitOptions.model_validate({"repositories": [text]})
    for text in ("", "a\nb"):
        with pytest.raises(ValidationError, match="is no path"):
            GitOptions.model_validate({"repositories": [text]})


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:s3cret@host/path",
        "https://s3cret@host/path",
        "https://ada:s3/cret@host/path",
        "https://ada:s3cret@@host/path",
        "https://host/path?private_token=s3cret",
        "ssh://git:s3cret@host/path",
        "ada:s3cret@host:path",
        "ftp://ada:s3cret@host/path",
    ],
)
def test_a_credential_in_an_address_is_refused_and_never_repeated(text: str) -> None:
    """The message says where tokens belong and does not hold the one given."""
    with pytest.raises(SourceError) as caught:
        clone_url(text)
    assert "s3" not in str(caught.value)


def test_an_origin_is_known_without_its_credential() -> None:
    """Clones made with a token in the address are still recognised; odd origins are not."""
    origin = known_origin("https://x-access-token:s3cret@github.com/Acme/Shop.git")
    assert origin is not None
    assert origin.text == "https://github.com/Acme/Shop.git"
    assert origin.page == "https://github.com/Acme/Shop"
    assert known_origin("git@github.com:a/b").page == "https://github.com/a/b"  # type: ignore[union-attr]
    assert known_origin("/srv/git/shop.git") is None
    assert known_origin("ext::sh -c id") is None
    assert known_origin("") is None
