"""The errors of the service."""


class ServiceError(Exception):
    """An error response: ``{"error": {"code", "message", "details"}}`` and a status code.

    ``log_reason`` appears only in the log. It must not contain a secret.
    """

    def __init__(
        self, status_code: int, code: str, message: str, *details: dict[str, str], log_reason: str | None = None
    ) -> None:
        super().__init__(message)
        error: dict[str, object] = {"code": code, "message": message}
        if details:
            error["details"] = list(details)
        self.status_code = status_code
        self.code = code
        self.has_details = bool(details)
        self.body = {"error": error}
        self.log_reason = log_reason


def bad_request(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)


def bad_arguments(*problems: tuple[str, str]) -> ServiceError:
    """An error with a detail for each problem. A problem is a message and a target."""
    details = [{"code": "BadArgument", "message": message, "target": target} for message, target in problems]
    message = "The request could not be understood by the server due to malformed syntax."
    return ServiceError(400, "BadRequest", message, *details)


def wrong_type(wanted: str, target: str) -> ServiceError:
    return bad_arguments((f"The JSON value could not be converted to {wanted}. Path: {target}.", target))


def denied(log_reason: str, message: str = "Denied by the resource provider.") -> ServiceError:
    return ServiceError(401, "Denied", message, log_reason=log_reason)


def not_found() -> ServiceError:
    return ServiceError(404, "NotFound", "The server cannot find the requested resource.")


# The error code for each status code of injected faults and of errors that HTTP itself defines.
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
    421: "MisdirectedRequest",
    429: "TooManyRequests",
    431: "RequestHeaderFieldsTooLarge",
    500: "InternalServerError",
    501: "NotImplemented",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def status_error(status_code: int, message: str) -> ServiceError:
    code = _CODES.get(status_code, "BadRequest" if status_code < 500 else "InternalServerError")
    return ServiceError(status_code, code, message)
