"""Certificates for servers under test."""

from pathlib import Path

import trustme


class Certificates:
    """The files of a certificate authority, of a certificate that it issued for a host, and of the private key.

    ``certfile`` also contains the private key.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(host)
        self.authority = str(folder / "authority.pem")
        self.certfile = str(folder / "server.pem")
        self.keyfile = str(folder / "server.key")
        authority.cert_pem.write_to_path(self.authority)
        issued.private_key_and_cert_chain_pem.write_to_path(self.certfile)
        issued.private_key_pem.write_to_path(self.keyfile)
