"""Which error of azure-core stands for an error of a connection or a response."""

from http.client import HTTPException

from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from urllib3.exceptions import HTTPError, ReadTimeoutError

# Errors of sockets, TLS and host names; of HTTP; of decompression; and of a body that does not fit into memory.
TRANSPORT_ERRORS = (OSError, UnicodeError, HTTPException, HTTPError, MemoryError, OverflowError)

# By whether there was a connection, so the service may have executed the request, and whether time ran out.
_AZURE_ERRORS: dict[tuple[bool, bool], type[AzureError]] = {
    (False, False): ServiceRequestError,
    (False, True): ServiceRequestTimeoutError,
    (True, False): ServiceResponseError,
    (True, True): ServiceResponseTimeoutError,
}


def azure_error(error: BaseException, problem: str, *, is_connected: bool) -> AzureError:
    """Return azure-core's error for one of the ``TRANSPORT_ERRORS``. Its message begins with the problem."""
    is_timeout = isinstance(error, (TimeoutError, ReadTimeoutError))
    if isinstance(error, HTTPError):
        error = error.__cause__ or error  # urllib3 wraps errors of the body that it decompresses
    return _AZURE_ERRORS[is_connected, is_timeout](f"{problem}: {str(error) or type(error).__name__}", error=error)
