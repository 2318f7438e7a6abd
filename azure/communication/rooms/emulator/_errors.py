"""The service's errors: what it answers instead of a result."""


class ServiceError(Exception):
    """An answer ``{"error": {"code", "message", "details"}}`` with its status."""

    def __init__(self, status: int, code: str, message: str, *details: dict[str, str]) -> None:
        super().__init__(message)
        error: dict[str, object] = {"code": code, "message": message}
        if details:
            error["details"] = list(details)
        self.status = status
        self.code = code
        self.body = {"error": error}


def bad_request(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)


def bad_argument(message: str, target: str) -> ServiceError:
    detail = {"code": "BadArgument", "message": message, "target": target}
    malformed = "The request could not be understood by the server due to malformed syntax."
    return ServiceError(400, "BadRequest", malformed, detail)


def denied(message: str = "Denied by the resource provider.") -> ServiceError:
    return ServiceError(401, "Denied", message)


def not_found() -> ServiceError:
    return ServiceError(404, "NotFound", "The server cannot find the requested resource.")


# The code of an answer that is nothing but a status: an injected one, or one that HTTP itself calls for.
_CODES = {
    401: "Denied",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    413: "PayloadTooLarge",
    414: "UriTooLong",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    431: "RequestHeaderFieldsTooLarge",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def status_error(status: int, message: str) -> ServiceError:
    return ServiceError(status, _CODES.get(status, "BadRequest" if status < 500 else "InternalServerError"), message)
