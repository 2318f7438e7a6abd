"""Log a call, trace it, and find the IDs to quote in a support case.

Tracing needs ``pip install opentelemetry-sdk``.
"""

import logging
import sys

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpResponse
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from sample_resource import connection_string

from azure.communication.rooms import RoomsClient


def short(span: ReadableSpan) -> str:
    return f"SPAN {span.name}, in trace {span.context.trace_id:032x}\n" if span.context else ""


def main() -> None:
    client = RoomsClient.from_connection_string(connection_string())
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    logger = logging.getLogger("azure.core")

    print("\n1. At INFO, the log shows requests and responses without bodies, and headers that are harmless.")
    logger.setLevel(logging.INFO)
    room = client.create_room()

    print("\n2. At DEBUG with logging_enable, it shows bodies and all headers. Only credentials are redacted.")
    logger.setLevel(logging.DEBUG)
    client.get_room(room.id, logging_enable=True)
    logger.setLevel(logging.WARNING)

    print("\n3. An error has the response, and that has the IDs to quote.")
    try:
        client.get_room("99400000000000000")
    except HttpResponseError as error:
        if isinstance(error.response, HttpResponse):
            print("from the client:", error.response.request.headers["x-ms-client-request-id"])
            print("from the service:", error.response.headers["MS-CV"])
            print("from its front door:", error.response.headers["X-Azure-Ref"])

    print("\n4. Each call has a span, and each attempt a span inside it. They belong to your own span's trace.")
    provider = TracerProvider()  # in production, export the spans to a collector instead
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=short)))
    trace.set_tracer_provider(provider)
    settings.tracing_enabled = True
    with trace.get_tracer("my-application").start_as_current_span("end the consultation"):
        client.delete_room(room.id)


if __name__ == "__main__":
    main()
