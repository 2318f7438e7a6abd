"""Connection strings, endpoints and URLs."""

import re
from urllib.parse import unquote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_connection_string(conn_str: str) -> tuple[str, str]:
    """Return the endpoint and the access key. No error shows any part of the string, because it may be the key."""
    if not isinstance(conn_str, str):
        hint = "; is the environment variable set?" if conn_str is None else ""
        raise TypeError(f"conn_str must be a str, not {type(conn_str).__name__}{hint}")
    if conn_str.strip().startswith(('"', "'", "\ufeff")):
        raise ValueError("conn_str begins with a quotation mark or a byte order mark: remove it")
    settings: dict[str, str] = {}
    for segment in filter(None, (part.strip() for part in conn_str.split(";"))):
        name, equals, value = segment.partition("=")
        name = name.strip().lower()
        if not equals:
            raise ValueError("conn_str has a segment without '='; it must be 'endpoint=...;accesskey=...'")
        if name in settings and name in ("endpoint", "accesskey"):
            raise ValueError(f"conn_str has more than one {name!r}")
        settings[name] = value.strip()
    for name in ("endpoint", "accesskey"):
        if not settings.get(name):
            raise ValueError(f"conn_str has no {name!r}; it must be 'endpoint=...;accesskey=...'")
    return settings["endpoint"], settings["accesskey"]


def parse_endpoint(endpoint: str) -> str:
    """Return what every URL begins with. No error shows the endpoint, because a caller may pass a key by mistake."""
    if not isinstance(endpoint, str):
        raise TypeError(f"endpoint must be a str, not {type(endpoint).__name__}")
    url = endpoint.strip()
    if "accesskey=" in url.lower():
        raise ValueError("endpoint must be a URL; pass a connection string to RoomsClient.from_connection_string()")
    if not url.isascii() or not url.isprintable():
        raise ValueError("endpoint must be a URL in printable ASCII")
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("endpoint must be an http or https URL")
    if not re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?", parts.netloc):
        raise ValueError("endpoint must have a valid host name and port, and no user name or password")
    if parts.query or parts.fragment or has_dot_segments(parts.path):
        raise ValueError("endpoint must have only a scheme, a host, a port and a path without dot segments")
    return f"{origin(parts.geturl())}{parts.path.rstrip('/')}"


def origin(url: str) -> str:
    """Return the URL's scheme and lower-case host, with the port unless it is the default, as in the Host header."""
    parts = urlsplit(url)
    host = parts.netloc.lower().rstrip(":").removesuffix(f":{_DEFAULT_PORTS.get(parts.scheme)}")
    return f"{parts.scheme}://{host}"


def has_dot_segments(path: str) -> bool:
    """Tell whether the path has segments that requests would resolve, so that it would send another path."""
    return not {".", ".."}.isdisjoint(map(unquote, path.split("/")))
