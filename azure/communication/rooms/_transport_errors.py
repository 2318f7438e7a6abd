"""Translates the errors of connections and bodies into azure-core's, for the transport and its responses."""

from http.client import HTTPException

from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from urllib3.exceptions import HTTPError, ReadTimeoutError

# OSError: sockets, TLS and host names. UnicodeError: host names. HTTPException: HTTP. HTTPError: decompression.
# MemoryError and OverflowError: a body that does not fit into memory.
TRANSPORT_ERRORS = (OSError, UnicodeError, HTTPException, HTTPError, MemoryError, OverflowError)

# The keys are (is_connected, is_timeout). Once connected, the service may have executed the request.
_AZURE_ERRORS: dict[tuple[bool, bool], type[AzureError]] = {
    (False, False): ServiceRequestError,
    (False, True): ServiceRequestTimeoutError,
    (True, False): ServiceResponseError,
    (True, True): ServiceResponseTimeoutError,
}


def azure_error(error: BaseException, problem: str, *, is_connected: bool) -> AzureError:
    """Return azure-core's error for one of the ``TRANSPORT_ERRORS``. Its message begins with ``problem``."""
    is_timeout = isinstance(error, (TimeoutError, ReadTimeoutError))
    if isinstance(error, HTTPError):
        error = error.__cause__ or error  # urllib3 wraps errors of the body that it decompresses
    return _AZURE_ERRORS[is_connected, is_timeout](f"{problem}: {str(error) or type(error).__name__}", error=error)
