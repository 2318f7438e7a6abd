"""The host names that clients may use for the emulator.

Checking them protects against DNS rebinding: a web page can point its own host name at this machine and then call the
emulator from the browser.
"""

import ipaddress
import re
from collections.abc import Iterable

_NAME = re.compile(r"[a-z0-9._-]+")
_HEADER = re.compile(r"(\[.*\]|[^:]*)(?::[0-9]*)?")
_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared, never bound to


class Hosts:
    """The allowed hosts: the listening address, ``localhost`` and the names in ``allowed``.

    If the emulator listens on all addresses, every IP address is allowed.

    :raises ValueError: An allowed name is not a host name or an IP address.
    """

    def __init__(self, listening: str, allowed: Iterable[str]) -> None:
        own = _normalized(listening) or listening
        self.endpoint = _ANY_ADDRESS.get(own, own)
        """The host to use in URLs."""
        self._any_ip_address = own in _ANY_ADDRESS
        self._names = {own, "localhost"}
        if own == "localhost":
            self._names.add("127.0.0.1")
        for name in allowed:
            if not _normalized(name):
                raise ValueError(f"allowed_hosts must be host names without a scheme or port, not {name!r}")
            self._names.add(_normalized(name))

    def include(self, header: str) -> bool:
        """Whether the value of a ``Host`` header names an allowed host."""
        match = _HEADER.fullmatch(header)
        name = _normalized(match[1]) if match else ""
        return bool(name) and (name in self._names or (self._any_ip_address and _is_ip_address(name.strip("[]"))))


def _normalized(name: str) -> str:
    """The host name in lower case, or the IPv6 address in brackets and in its shortest form. Empty if it is invalid."""
    name = name.lower()
    address = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if ":" in address:
        return f"[{ipaddress.IPv6Address(address)}]" if _is_ip_address(address) else ""
    return name if _NAME.fullmatch(name) else ""


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
