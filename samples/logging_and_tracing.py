"""Log and trace a call, and find the IDs to quote in a support case.

Tracing needs ``pip install opentelemetry-sdk``.
"""

import logging
import os
import sys

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from azure.communication.rooms import RoomsClient


def show_ids(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    """Print the IDs in a response. The client also calls this for responses that it retries."""
    request, headers = response.http_request, response.http_response.headers
    print(f"{request.method} {request.url}: status {response.http_response.status_code}")
    print(f"  x-ms-client-request-id: {request.headers['x-ms-client-request-id']}")  # made by the client for this call
    print(f"  MS-CV: {headers.get('MS-CV')}")  # made by the service for this attempt
    print(f"  X-Azure-Ref: {headers.get('X-Azure-Ref')}")  # made by the service's front door for this attempt


def main() -> None:
    # In production, send spans to a collector instead; see the documentation of OpenTelemetry.
    provider = TracerProvider()
    exporter = ConsoleSpanExporter(formatter=lambda span: f"SPAN {span.to_json(indent=None)}\n")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    settings.tracing_enabled = True

    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    logger = logging.getLogger("azure")

    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        # At INFO, the log shows each request and response, without bodies and only with headers that are harmless.
        logger.setLevel(logging.INFO)
        room = client.create_room(raw_response_hook=show_ids)

        # At DEBUG with logging_enable, it also shows bodies and all headers. Keys, signatures and tokens are redacted.
        # Room IDs and raw IDs are not: check a log before you give it to anybody.
        logger.setLevel(logging.DEBUG)
        client.get_room(room.id, logging_enable=True)
        logger.setLevel(logging.WARNING)

        # The client's spans are children of your own spans.
        with trace.get_tracer("my-application").start_as_current_span("end the consultation"):
            client.delete_room(room.id)

        # An error contains its response, so it needs no hook.
        try:
            client.get_room(room.id)
        except HttpResponseError as error:
            if isinstance(error.response, HttpResponse):
                print(f"Failed with {error.status_code}, MS-CV {error.response.headers.get('MS-CV')}")


if __name__ == "__main__":
    main()
