"""Certificates for servers under test."""

from datetime import datetime
from pathlib import Path

import trustme


class Certificates:
    """The files of a certificate authority, of a certificate that it issued together with its key, and of the key."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", not_after: datetime | None = None) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(host, not_after=not_after)
        self.authority, self.certfile, self.keyfile = (
            str(folder / name) for name in ("ca.pem", "server.pem", "key.pem")
        )
        authority.cert_pem.write_to_path(self.authority)
        issued.private_key_and_cert_chain_pem.write_to_path(self.certfile)
        issued.private_key_pem.write_to_path(self.keyfile)
