"""Certificates for servers under test."""

from datetime import datetime
from pathlib import Path

import trustme


class Certificates:
    """The files of a certificate authority, and of a certificate that it issued with its key."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", not_after: datetime | None = None) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(host, not_after=not_after)
        self.authority, self.certfile = (str(folder / name) for name in ("ca.pem", "server.pem"))
        authority.cert_pem.write_to_path(self.authority)
        issued.private_key_and_cert_chain_pem.write_to_path(self.certfile)
