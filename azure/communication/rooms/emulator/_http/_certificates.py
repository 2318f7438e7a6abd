"""The emulator's certificates, and the files with which programs trust them."""

import ipaddress
import os
import re
import shutil
import ssl
import tempfile
import warnings
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import certifi
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from .._clock import real_now
from ._hosts import is_ip_address, is_service_host

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Environment variables that name the certificate authorities to trust: for requests, OpenSSL, curl and Node.js."""
TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - Java's default; the store holds no secret
_NOW = real_now()  # read once, because time-machine changes the real time, too
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Certificates:
    """A certificate authority, its certificates, and their files.

    Without a ``folder``, the files are temporary. A folder keeps the authority, so that programs which trust it also
    trust the next emulator with this folder.
    """

    def __init__(self, hosts: Iterable[str], folder: Path | None) -> None:
        self._folder = folder or Path(tempfile.mkdtemp(prefix="rooms-emulator-"))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.close = weakref.finalize(self, _delete, None if folder else self._folder, os.getpid())
        """Deletes the files if they are temporary."""
        authority = self._load_authority()
        self._issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
        self._issuer_key = pem.load_pem_private_key(authority.private_key_pem.bytes(), None)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.certfile = self._issue("server", hosts)
        """The certificate for the hosts, and its private key."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a few authorities have old certificates
            trusted = list(dict.fromkeys([self._issuer, *_usual_authorities()]))
        self.ca_file = self._write("authorities.pem", b"".join(each.public_bytes(pem.Encoding.PEM) for each in trusted))
        """The authority, and those that programs on this machine trust already."""
        entries = [PKCS12Certificate(each, None) for each in trusted]
        store = serialize_java_truststore(entries, pem.BestAvailableEncryption(TRUST_STORE_PASSWORD.encode("ascii")))
        self.trust_store = self._write("authorities.p12", store)
        """The same for Java."""

    def choose(self, connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        """Present the certificate that a client of the service expects. This is a callback of TLS servers."""
        if host is None or not is_service_host(host):
            return
        if host not in self._contexts:
            self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._contexts[host].load_cert_chain(self._issue(host, [host]))
        connection.context = self._contexts[host]

    def _load_authority(self) -> trustme.CA:
        file = self._folder / "authority-and-key.pem"  # one file, so that emulators that start together cannot mix them
        if not file.exists():
            authority = trustme.CA(organization_name="azure-communication-rooms emulator")
            self._write(file.name, authority.cert_pem.bytes() + authority.private_key_pem.bytes())
        content = file.read_bytes()
        return trustme.CA.from_pem(content, content)

    def _issue(self, name: str, hosts: Iterable[str]) -> str:
        """Return the path of a new certificate with its private key. trustme does not take host names with a ``_``."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(host)) if is_ip_address(host) else x509.DNSName(host) for host in hosts
        ]
        key_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._issuer.public_key())  # type: ignore[arg-type]
        certificate = (
            x509.CertificateBuilder(self._issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
            .not_valid_before(_NOW - timedelta(days=1))
            .not_valid_after(_NOW + timedelta(days=365))
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(key_identifier, critical=False)
            .sign(self._issuer_key, SHA256())  # type: ignore[arg-type]
        )
        private_key = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
        return self._write(f"{name}.pem", private_key + certificate.public_bytes(pem.Encoding.PEM))

    def _write(self, name: str, content: bytes) -> str:
        """Write a file that only this user can read. Replace it at once, because programs may be reading it."""
        path = self._folder / name
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)  # has mode 0600
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
        return str(path)


def _delete(folder: Path | None, process_id: int) -> None:
    if folder and os.getpid() == process_id:  # a forked child must not delete its parent's files
        shutil.rmtree(folder, ignore_errors=True)


def _usual_authorities() -> Iterator[x509.Certificate]:
    """The authorities that programs on this machine trust."""
    system = ssl.get_default_verify_paths()
    folders = os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)
    named = [os.environ.get(name) for name in CA_VARIABLES]
    places = [certifi.where(), system.openssl_cafile, system.openssl_capath, *folders, *named]
    for path in map(Path, filter(None, places)):
        for file in sorted(path.glob("*")) if path.is_dir() else [path]:
            if file.is_file() and os.access(file, os.R_OK):
                for pem in _PEM.findall(file.read_bytes()):
                    with suppress(ValueError):  # malformed: OpenSSL skips one in a folder, but refuses one in a bundle
                        yield x509.load_pem_x509_certificate(pem)
