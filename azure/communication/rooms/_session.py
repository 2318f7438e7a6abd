"""The requests session that all clients of the process share, with its idle connections."""

import functools
import os
import queue
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import ProtocolError
from urllib3.util import Retry


class SharedAdapter(HTTPAdapter):
    """requests' adapter, for connections that all clients share."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # http.client takes interim responses, except 100, for final ones. The next request on the connection would
        # get the response to this one.
        if resp.status < 200:
            resp.close()
            raise requests.ConnectionError(ProtocolError(f"only an interim response came: {resp.status}"), request=req)
        resp.enforce_content_length = True  # azure-core sets this after requests has read the body
        return super().build_response(req, resp)

    def close_idle_connections(self, url: str, verify: bool | str, proxies: dict[str, str], cert: Any) -> None:
        pool: Any = self.get_connection_with_tls_context(requests.Request("GET", url).prepare(), verify, proxies, cert)
        with suppress(queue.Empty):
            while True:
                if connection := pool.pool.get_nowait():
                    connection.close()


@functools.lru_cache(maxsize=1)
def shared_session(session_class: type[requests.Session]) -> requests.Session:
    """Return the session."""
    session = session_class()
    session.trust_env = False  # each client reads the environment itself, and .netrc must not replace Authorization
    session.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=[]))
    # The retry policy retries, so that each attempt is signed again.
    adapter = SharedAdapter(pool_connections=100, pool_maxsize=100, max_retries=Retry(total=False, redirect=False))
    session.adapters = dict.fromkeys(("https://", "http://"), adapter)
    return session


_set_aside: list[requests.Session] = []


def set_session_aside(session: requests.Session) -> None:
    """Let the next call create a new session. An exception from a signal handler may have left a lock of this one held.

    urllib3's finalizer would wait for that lock, so the session is never deleted.
    """
    _set_aside.append(session)
    shared_session.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared_session.cache_clear)
