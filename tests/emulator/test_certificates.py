"""The certificates of ``tls=True``, and what trusts them."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from azure.communication.rooms import ClientOptions, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..support import posix
from ..support.certificates import Certificates
from .calls import connect


def call(emulator: RoomsEmulator, context: ssl.SSLContext, host: str) -> None:
    with context.wrap_socket(connect(emulator), server_hostname=host) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"".join(iter(lambda: connection.recv(10_000), b"")).startswith(b"HTTP/1.1 401 ")


def test_hosts_of_the_certificate() -> None:
    with RoomsEmulator(tls=True, allowed_hosts=["Rooms_1.test", "192.0.2.1"]) as emulator:
        assert emulator.endpoint.startswith("https://127.0.0.1:")
        options: ClientOptions = {"connection_verify": emulator.ca_file}
        with RoomsClient.from_connection_string(emulator.connection_string, **options) as client:
            assert client.create_room().id
        context = ssl.create_default_context(cafile=emulator.ca_file)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("127.0.0.1", "::1", "localhost", "rooms_1.test", "192.0.2.1"):
            call(emulator, context, host)
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(connect(emulator), server_hostname="contoso.communication.azure.com")
        folder = Path(emulator.ca_file).parent
        assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of an old authority
def test_trust_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Authorities may be in files and in folders. None of them gets lost, and none is there twice."""
    authorities = []
    for name in ("file", "ca-folder", "cert-dir"):
        (tmp_path / name).mkdir()
        authorities.append(Path(Certificates(tmp_path / name).authority).read_text())
    for variable, path in [
        ("SSL_CERT_FILE", tmp_path / "file" / "ca.pem"),
        ("CURL_CA_BUNDLE", tmp_path / "file" / "ca.pem"),
        ("NODE_EXTRA_CA_CERTS", tmp_path / "none"),
        ("REQUESTS_CA_BUNDLE", tmp_path / "ca-folder"),
        ("SSL_CERT_DIR", f"{tmp_path / 'none'}{os.pathsep}{tmp_path / 'cert-dir'}"),
    ]:
        monkeypatch.setenv(variable, str(path))
    with RoomsEmulator(tls=True) as emulator:
        bundle = Path(emulator.ca_file).read_text()
        store = Path(emulator.ca_file).with_suffix(".p12").read_bytes()
    assert [bundle.count(authority.strip()) for authority in authorities] == [1, 1, 1]
    assert bundle.count("BEGIN CERTIFICATE") > 50  # the usual authorities
    assert len(load_pkcs12(store, b"changeit").additional_certs) == bundle.count("BEGIN CERTIFICATE")


def test_malformed_certificate_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL ignores it there, but refuses a bundle that contains it."""
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "malformed.pem").write_text(pem)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with RoomsEmulator(tls=True) as emulator:
        context = ssl.create_default_context(cafile=emulator.ca_file)
        call(emulator, context, "localhost")


def test_folder_keeps_the_authority(tmp_path: Path) -> None:
    for _ in range(2):
        with RoomsEmulator(tls=True, tls_folder=str(tmp_path / "tls")) as emulator:
            ca_file = Path(emulator.ca_file)
            context = ssl.create_default_context(cadata=ca_file.read_text())
        with RoomsEmulator(tls=True, tls_folder=str(tmp_path / "tls")) as emulator:
            call(emulator, context, "localhost")
        assert ca_file.exists()


@posix
def test_forked_child_keeps_the_files() -> None:
    program = """
import os, sys
from azure.communication.rooms.emulator import RoomsEmulator

with RoomsEmulator(tls=True) as emulator:
    if (child := os.fork()) == 0:
        sys.exit()
    os.waitpid(child, 0)
    assert os.path.exists(emulator.ca_file)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_ca_file_needs_tls(emulator: RoomsEmulator) -> None:
    with pytest.raises(RuntimeError, match="there is no ca_file without tls=True"):
        _ = emulator.ca_file
