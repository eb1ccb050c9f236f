"""Certificates, names and proxies: what stands between the client and the source."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.client import Client
from connectors.failures import TrustError, UnreachableError
from tests.connectors.web import Reply, script, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """The address of an HTTPS server with that certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_unknown_authority_is_refused_with_a_remedy(secure: str) -> None:
    """Not retried: another try would not make the certificate better."""
    with (
        Client(base_url=secure, backoff_seconds=0) as client,
        pytest.raises(TrustError, match="give the authority that signed it as ca_file"),
    ):
        client.get("things")
    assert client.requests == 1


def test_ca_file_adds_an_authority(secure: str, certificate: Path) -> None:
    """The company's own authority is trusted once the settings name it."""
    with Client(base_url=secure, ca_file=certificate) as client:
        assert client.get("things").body == b"[]"


def test_a_ca_file_that_is_none_is_told(secure: str, tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "wrong.pem"
    path.write_text("not a certificate", encoding="utf-8")
    with (
        Client(base_url=secure, ca_file=path) as client,
        pytest.raises(TrustError, match=r"wrong\.pem cannot be read as PEM"),
    ):
        client.get("things")


def test_a_name_nobody_knows_is_told() -> None:
    """`.invalid` is reserved for names that do not exist."""
    with (
        Client(base_url="http://nowhere.invalid", attempts=1) as client,
        pytest.raises(UnreachableError, match="the name is not known: check base_url, DNS"),
    ):
        client.get("things")


def test_the_proxy_of_the_settings_is_used_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies in the environment are ignored: the settings alone say where data goes."""
    with serving(script(Reply(200, ["source"]))) as source:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        with Client(base_url=source.url) as client:
            assert client.get("things").body == b'["source"]'
        with (
            serving(script(Reply(200, ["proxy"]))) as proxy,
            Client(base_url=source.url, proxy=proxy.url) as client,
        ):
            assert client.get("things").body == b'["proxy"]'
            assert proxy.asked[0].path == f"{source.url}/things"


def test_an_unreachable_proxy_is_named_without_its_password() -> None:
    """The proxy's address may hold a password."""
    with (
        Client(
            base_url="http://x.test", proxy="http://me:hidden@127.0.0.1:9", attempts=1
        ) as client,
        pytest.raises(UnreachableError, match=r"through the proxy http://127\.0\.0\.1:9") as told,
    ):
        client.get("things")
    assert "hidden" not in str(told.value)
