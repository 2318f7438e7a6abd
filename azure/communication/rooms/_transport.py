from typing import Any

from azure.core.pipeline.transport import RequestsTransport


def default_transport(**kwargs: Any) -> RequestsTransport:
    transport = RequestsTransport(**kwargs)
    transport.open()
    return transport
