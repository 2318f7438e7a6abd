"""The hosts that clients may use for the emulator, and the origins of requests.

Checking them protects against DNS rebinding: the author of a web page can point a host name at this machine, and the
page can then call the emulator. That needs a name, so every IP address is allowed.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request

_NAME = re.compile(r"[a-z0-9._-]+")
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, never bound to


class Hosts:
    """The allowed hosts: IP addresses, ``localhost``, the listening host and those in ``allowed``.

    :raises ValueError: A host in ``allowed`` is not a host name or an IP address.
    """

    def __init__(self, listening: str, allowed: Iterable[str]) -> None:
        own = _ANY_ADDRESS.get(listening, listening)
        self.endpoint = f"[{own}]" if ":" in own else own
        """The host to use in URLs."""
        self.names = {"127.0.0.1", "::1", "localhost", own.lower()}
        """The hosts for which a certificate must be valid."""
        for name in allowed:
            if not (_NAME.fullmatch(name.lower()) or _is_ip_address(name)):
                raise ValueError(f"allowed_hosts must be host names without a scheme or port, not {name!r}")
            self.names.add(name.lower())

    def include(self, header: str) -> bool:
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


def origin(request: Request) -> str:
    """The scheme, host and port that the client called. The host is allowed, so it is not empty."""
    return f"{request.scope['scheme']}://{request.headers['host']}"


def is_same_origin(request: Request) -> bool:
    """Whether the request comes from the emulator's page or from no page at all.

    For requests from web pages, browsers send at least one of these headers.
    """
    own = origin(request)
    is_own_site = request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return is_own_site and request.headers.get("origin", own).lower() == own.lower()
