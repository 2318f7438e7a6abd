"""Log and trace a call, and find the IDs to quote in a support case.

``pip install opentelemetry-sdk`` for the tracing.
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
    """Called with every response of the call, those that are retried included."""
    request, headers = response.http_request, response.http_response.headers
    print(f"{request.method} {request.url}: status {response.http_response.status_code}")
    print(f"  x-ms-client-request-id: {request.headers['x-ms-client-request-id']}")  # the client's, for this call
    print(f"  MS-CV: {headers.get('MS-CV')}")  # the service's, for this attempt
    print(f"  X-Azure-Ref: {headers.get('X-Azure-Ref')}")  # the front door's, for this attempt


def main() -> None:
    # A service sends its spans to a collector instead; see the documentation of OpenTelemetry.
    provider = TracerProvider()
    exporter = ConsoleSpanExporter(formatter=lambda span: f"SPAN {span.to_json(indent=None)}\n")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    settings.tracing_enabled = True

    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    logger = logging.getLogger("azure")

    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        # At INFO, the log has each request and response without bodies and with only the headers known to be harmless.
        logger.setLevel(logging.INFO)
        room = client.create_room(raw_response_hook=show_ids)

        # At DEBUG with logging_enable, it has bodies and all headers too. Keys, signatures and tokens are redacted.
        # Room IDs and the IDs of participants are not: look through a log before you send it to somebody.
        logger.setLevel(logging.DEBUG)
        client.get_room(room.id, logging_enable=True)
        logger.setLevel(logging.WARNING)

        # The spans of your own code and those of the client form one trace.
        with trace.get_tracer("my-application").start_as_current_span("end the consultation"):
            client.delete_room(room.id)

        # An error has the response, so it needs no hook.
        try:
            client.get_room(room.id)
        except HttpResponseError as error:
            if isinstance(error.response, HttpResponse):
                print(f"Failed with {error.status_code}, MS-CV {error.response.headers.get('MS-CV')}")


if __name__ == "__main__":
    main()
