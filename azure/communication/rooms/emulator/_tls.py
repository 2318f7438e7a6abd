"""A certificate for one run of the emulator, and the CA bundle with which clients trust it."""

import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
import trustme
from typing_extensions import Self

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Environment variables that name the certificate authorities to trust: for requests, OpenSSL, curl and Node.js."""


class Certificate:
    """A certificate from an authority made for it. Use it as a context manager, which deletes its files at the end."""

    def __init__(self, hosts: Iterable[str]) -> None:
        authority = trustme.CA(organization_name="azure-communication-rooms emulator")
        issued = authority.issue_cert(*sorted(hosts))
        self._folder = TemporaryDirectory(prefix="rooms-emulator-")
        self.certfile = str(Path(self._folder.name, "server.pem"))
        """The certificate and its private key."""
        self.ca_file = str(Path(self._folder.name, "authorities.pem"))
        """The certificate's authority, and those that programs on this machine trust already."""
        issued.private_key_and_cert_chain_pem.write_to_path(self.certfile)
        system = ssl.get_default_verify_paths().cafile or ""
        usual = {certifi.where(), system, *(os.environ.get(name, "") for name in CA_VARIABLES)}
        authorities = [Path(name).read_bytes() for name in sorted(usual) if Path(name).is_file()]
        Path(self.ca_file).write_bytes(b"\n".join([authority.cert_pem.bytes(), *authorities]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._folder.cleanup()
