"""The hosts that clients may use for the emulator.

Checking them protects against DNS rebinding: the author of a web page can point a host name at this machine, and the
page can then call the emulator. That needs a name, so every IP address is allowed.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_NAME = re.compile(r"[a-z0-9._-]+")
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, never bound to


class AllowedHosts:
    """The allowed hosts: IP addresses, ``localhost``, the listening host and those in ``allowed``.

    :raises ValueError: A host in ``allowed`` is not a host name or an IP address.
    """

    def __init__(self, listening: str, allowed: Iterable[str]) -> None:
        host = _ANY_ADDRESS.get(listening, listening)
        self.url_host = f"[{host}]" if ":" in host else host
        """The host to use in URLs."""
        self.names = {"127.0.0.1", "::1", "localhost", host.lower()}
        """The hosts for which a certificate must be valid."""
        for name in allowed:
            if not (_NAME.fullmatch(name.lower()) or _is_ip_address(name)):
                raise ValueError(f"allowed_hosts must be host names without a scheme or port, not {name!r}")
            self.names.add(name.lower())

    def allows(self, header: str) -> bool:
        """Whether the value of a ``Host`` header names an allowed host."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        return name in self.names or _is_ip_address(name)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
