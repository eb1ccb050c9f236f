"""Clone addresses: which ones are accepted, and the repository key they stand for.

An address is read by git itself, and git does what it says: `ext::` runs a command, a leading
`-` is an option, `file://` reads this machine. What is not plainly one of the accepted forms is
refused before git sees it.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.connector import SourceError

_SCHEMES = {"https", "http", "ssh", "git+ssh", "ssh+git"}
# user@host:path, the short form of ssh; a path that starts with a slash stays absolute.
_SHORT = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.+-]*)@(?P<host>[^:/@\s]+):(?P<path>.+)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_ACCEPTED = "use https://host/path, http://host/path, ssh://user@host/path or user@host:path"


@dataclass(frozen=True, slots=True)
class CloneUrl:
    """An accepted clone address.

    `origin` is scheme, host and port, where a credential for it may be sent; None for ssh, which
    has keys of its own.
    """

    text: str
    key: str
    origin: str | None
    is_encrypted: bool

    @property
    def may_carry_token(self) -> bool:
        """Whether a token may be sent there: encrypted, or no further than this machine."""
        return self.is_encrypted or urlsplit(self.text).hostname in _LOOPBACK

    @property
    def name(self) -> str:
        """The last part of the path, as people call the repository."""
        return repository_name(self.text)

    @property
    def page(self) -> str:
        """The address a browser would open, as far as the clone address tells it."""
        if self.origin is not None:
            path = urlsplit(self.text).path.rstrip("/").removesuffix(".git")
            return f"{self.origin}{path}"
        return f"https://{self.key}"


def clone_url(text: str) -> CloneUrl:
    """Check a configured clone address; raises `SourceError` that never repeats a credential."""
    shown = _shown(text)
    if not text or text.startswith("-") or _FORBIDDEN.search(text):
        raise SourceError(f"the clone address {shown} is refused: {_ACCEPTED}")
    if (short := _SHORT.fullmatch(text)) and "://" not in text:
        host, path = short["host"], short["path"]
        if not _HOST.fullmatch(host) or path.startswith(("-", ":")):
            raise SourceError(f"the clone address {shown} is refused: {_ACCEPTED}")
        return CloneUrl(text, repository_key(text), None, is_encrypted=True)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise SourceError(f"the clone address {shown} is not an address: {_ACCEPTED}") from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES or not text.lower().startswith(f"{scheme}://"):
        raise SourceError(f"the clone address {shown} is refused: {_ACCEPTED}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    if not _HOST.fullmatch(host) or not parts.path.strip("/") or parts.query or parts.fragment:
        raise SourceError(f"the clone address {shown} lacks a host or a path: {_ACCEPTED}")
    is_web = scheme in {"https", "http"}
    if parts.password is not None or (is_web and parts.username is not None):
        raise SourceError(
            f"the clone address {shown} carries a credential; take it out and give it as "
            'token = { env = "NAME" } or { file = "path" }'
        )
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise SourceError(f"the clone address {shown} is refused: {_ACCEPTED}")
    where = text[: text.index("://") + 3] + parts.netloc
    return CloneUrl(
        text, repository_key(text), where if is_web else None, is_encrypted=scheme != "http"
    )


def known_origin(text: str) -> CloneUrl | None:
    """The remote a local clone came from, without credentials; None where it is no address."""
    try:
        return clone_url(re.sub(r"^(https?://)[^/]*@", r"\1", text))
    except SourceError:
        return None


def repository_key(text: str) -> str:
    """The lower-case `host/path` of a clone address: the same for https, ssh and the short form.

    Ports are left out, because https and ssh reach one repository by different ones.
    """
    if "://" in text:
        parts = urlsplit(text)
        host, path = parts.hostname or "", parts.path
    else:
        short = _SHORT.fullmatch(text) or re.fullmatch(r"(?P<host>[^:/]+):(?P<path>.+)", text)
        host, path = (short["host"], short["path"]) if short else ("local", text)
    path = re.sub(r"/{2,}", "/", path).strip("/").removesuffix(".git").strip("/")
    return f"{host}/{path}".lower()


def repository_name(text: str) -> str:
    """The last part of an address or path, without `.git`."""
    path = text.rstrip("/").removesuffix("/.git").removesuffix(".git")
    return re.split(r"[/:]", path)[-1] or path


def is_address(text: str) -> bool:
    """Whether a configured repository is an address rather than a path on this machine."""
    return "://" in text or "::" in text or bool(_SHORT.fullmatch(text)) or text.startswith("-")


def _shown(text: str) -> str:
    """The address for a message: whatever may be a credential is cut, control signs escaped."""
    if not _SHORT.fullmatch(text):
        # Greedy on purpose: a password may hold slashes and signs that no parser agrees on.
        text = re.sub(r"(?<=://).*@|^[^/]*:.*@", "***@", text, flags=re.DOTALL)
    return ascii(re.sub(r"\?.*", "?***", text, flags=re.DOTALL)[:200])
