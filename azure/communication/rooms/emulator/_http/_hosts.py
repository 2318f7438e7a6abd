"""The hosts that clients may use for the emulator.

Checking them protects against DNS rebinding: the author of a web page can point a host name at this machine, and the
page can then call the emulator. That needs a name, so every IP address is allowed.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_LABEL = "[a-z0-9_-]{1,63}"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_SERVICE_HOST = re.compile(rf"({_LABEL}\.)+communication\.azure\.(com|us)\.?")  # the last dot is for the DNS root
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, never bound to


def is_service_host(name: str) -> bool:
    """Whether this is the host name of a resource in Azure, or of one in the government's cloud."""
    return _SERVICE_HOST.fullmatch(name.lower()) is not None


def host_name(header: str) -> str:
    """The name in a ``Host`` header, in lower case and without the port. Empty if the header is malformed."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


class AllowedHosts:
    """IP addresses, ``localhost``, the listening host, those in ``allowed``, and with ``intercept`` the service's."""

    def __init__(self, listening: str, allowed: Iterable[str], *, intercept: bool) -> None:
        allowed = list(allowed)
        self._intercept = intercept
        self.address = _ANY_ADDRESS.get(listening, listening)
        """Where this machine reaches the emulator."""
        # Other machines cannot use the loopback address.
        host = allowed[0] if allowed and self.address != listening else self.address
        self.url_host = f"[{host}]" if ":" in host else host
        """The host to use in URLs."""
        self.names = {"127.0.0.1", "::1", "localhost", host.lower()}
        """The hosts for which a certificate must be valid."""
        for name in allowed:
            if not (_NAME.fullmatch(name.lower()) or is_ip_address(name)):
                raise ValueError(f"allowed_hosts must be host names without a scheme or port, not {name!r}")
            self.names.add(name.lower())

    def allows(self, name: str) -> bool:
        return name in self.names or is_ip_address(name) or self.intercepts(name)

    def intercepts(self, name: str) -> bool:
        """Whether this is a host of the service for which the emulator stands in."""
        return self._intercept and is_service_host(name)


def is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
