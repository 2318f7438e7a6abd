"""The client: validates arguments and builds the request JSON."""

import copy
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.paging import ItemPaged
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Self, Unpack

from ._api_version import DEFAULT_API_VERSION, ApiVersion
from ._endpoint import origin, parse_connection_string, parse_endpoint
from ._identifiers import CommunicationIdentifier
from ._models import CommunicationRoom, RoomParticipant, raw_id_of
from ._operations import RoomsOperations
from ._options import CLIENT_OPTIONS, REQUEST_OPTIONS, ClientOptions, Policy, RequestOptions, check_options
from ._repeatability import repeatability_headers
from ._time import request_time
from ._version import VERSION


class RoomsClient:
    """A client of the Rooms service of one Azure Communication Services resource.

    A room is an invite-only call space with a lifetime and a list of participants. The client creates, reads, changes
    and deletes rooms; joining a call is the business of the Calling SDKs.

    One client may be used from many threads at once, also while its access key is being rotated with
    ``AzureKeyCredential.update``, and keeps one connection for each thread that is sending at the same time. After a
    fork, parent and child may both go on with it: the child opens connections of its own. (With a ``transport`` of
    your own, both are as that transport has them.) What may not be shared between threads is one iterator of
    :meth:`list_rooms` or :meth:`list_participants`, as with any iterator.

    Every operation is retried when the connection fails or breaks, when no answer comes in time, and on 408, 429,
    500, 502, 503 and 504, none of which makes the service do a thing twice: :meth:`create_room` sends one repeatability
    ID for all its attempts, and the other operations are idempotent. By default there are up to three retries of each
    kind, with waits that grow and have jitter. A request of :meth:`send_request` is retried likewise where it has a
    ``Repeatability-Request-ID`` or is a merge patch, and otherwise as azure-core does by default. A ``retry_policy`` of
    your own retries as it will.

    The keyword arguments of azure-core work both here and at each call, such as ``retry_connect``, ``retry_read`` and
    ``retry_status`` (how many retries of each kind), ``retry_total`` (of all kinds together), ``retry_backoff_factor``,
    ``timeout`` (seconds, after which no further attempt is made); ``connection_timeout`` and ``read_timeout`` (seconds
    for one attempt, default 300 each), ``connection_verify``, ``proxies``, ``headers``, ``user_agent``,
    ``request_id``, ``logging_enable``, ``raw_request_hook`` and ``raw_response_hook``; at each call also
    ``retry_on_methods``.
    Here only: ``transport``, ``policies``, ``per_call_policies``, ``per_retry_policies`` and ``use_env_settings``.

    :param str endpoint: The resource's endpoint, such as ``https://contoso.communication.azure.com``. Without scheme
     it is https. It may have a port and a path prefix.
    :param credential: The resource's access key, or a Microsoft Entra ID credential.
    :type credential: ~azure.core.credentials.AzureKeyCredential or ~azure.core.credentials.TokenCredential
    :keyword api_version: The version of the REST API. Default: 2025-03-13, the newest.
    :paramtype api_version: str or ~azure.communication.rooms.ApiVersion
    :raises TypeError: An argument is of a wrong type.
    :raises ValueError: The endpoint is not a URL of scheme, host, port and path; it is http and the credential is
     a TokenCredential, whose tokens are sent over TLS only; or the access key is not base64.
    """

    # What azure-core names the tracer after.
    _instrumentation_config: ClassVar[dict[str, str]] = {
        "library_name": "azure-communication-rooms",
        "library_version": VERSION,
    }

    def __init__(
        self,
        endpoint: str,
        credential: AzureKeyCredential | TokenCredential | str,
        *,
        api_version: str | ApiVersion = DEFAULT_API_VERSION,
        policies: Iterable[Policy] | None = None,
        transport: HttpTransport[HttpRequest, HttpResponse] | None = None,
        **kwargs: Unpack[ClientOptions],
    ) -> None:
        from ._pipeline import build_pipeline  # noqa: PLC0415 - only a program that makes a client pays for urllib3

        if not isinstance(api_version, str):
            raise TypeError(f"api_version must be a str or an ApiVersion, not {type(api_version).__name__}")
        check_options(kwargs, CLIENT_OPTIONS)
        self._endpoint = parse_endpoint(endpoint)
        self._pipeline = build_pipeline(
            self._endpoint,
            credential,
            policies=policies,
            transport=transport,
            instrumentation_config=self._instrumentation_config,
            **kwargs,
        )
        self._operations = RoomsOperations(self._pipeline, self._endpoint, api_version)

    @classmethod
    def from_connection_string(
        cls,
        conn_str: str,
        *,
        api_version: str | ApiVersion = DEFAULT_API_VERSION,
        policies: Iterable[Policy] | None = None,
        transport: HttpTransport[HttpRequest, HttpResponse] | None = None,
        **kwargs: Unpack[ClientOptions],
    ) -> Self:
        """Create a client from a resource's connection string.

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<base64 key>``.
         An ``http://`` endpoint, such as the emulator's, stays http.
        :return: The client.
        :rtype: ~azure.communication.rooms.RoomsClient
        :raises TypeError: ``conn_str`` is not a str.
        :raises ValueError: A part is missing, is there twice or is not what it must be; the message never shows it.
        """
        endpoint, access_key = parse_connection_string(conn_str)
        credential = AzureKeyCredential(access_key)
        return cls(endpoint, credential, api_version=api_version, policies=policies, transport=transport, **kwargs)

    @distributed_trace
    def create_room(
        self,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        pstn_dial_out_enabled: bool | None = None,
        participants: Iterable[RoomParticipant] | None = None,
        repeatability_request_id: str | UUID | None = None,
        repeatability_first_sent: datetime | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Create a room.

        Only the arguments that are given are sent; for the others the service's defaults hold. The call sends one
        ``Repeatability-Request-ID`` and ``Repeatability-First-Sent`` for all its attempts, so that however many it
        takes, one room is created. To repeat a create across calls, give both in ``headers`` yourself.

        :keyword valid_from: From when on the room can be joined. UTC where it has no time zone.
         Default: now.
        :paramtype valid_from: ~datetime.datetime or None
        :keyword valid_until: Until when the room can be joined, at most 180 days after ``valid_from``. UTC where it has
         no time zone. Default: 180 days after ``valid_from``.
        :paramtype valid_until: ~datetime.datetime or None
        :keyword pstn_dial_out_enabled: Whether phone numbers can be called from the room. Default: False.
        :paramtype pstn_dial_out_enabled: bool or None
        :keyword participants: Who is invited. Default: nobody.
        :paramtype participants: Iterable[~azure.communication.rooms.RoomParticipant] or None
        :return: The room as the service created it.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises TypeError: An argument is of a wrong type.
        :raises ValueError: One identifier is there twice with two roles, or a time is outside of the years 1 to 9999.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request, or what answered was not the
         service.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        if participants is not None:
            body["participants"] = _roles_by_raw_id(participants)
        repeatability = repeatability_headers(
            repeatability_request_id, repeatability_first_sent, kwargs.get("headers") or {}
        )
        return self._operations.create_room(body, repeatability, **kwargs)

    @distributed_trace
    def get_room(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> CommunicationRoom:
        """Get a room.

        :param str room_id: The room's ID.
        :return: The room.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises TypeError: ``room_id`` is not a str.
        :raises ValueError: ``room_id`` is empty.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request otherwise, or what answered
         was not the service.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.get_room(room_id, **kwargs)

    @distributed_trace
    def list_rooms(self, **kwargs: Unpack[RequestOptions]) -> ItemPaged[CommunicationRoom]:
        """List the resource's rooms that are still valid, newest first.

        Nothing is sent before the first room is asked for; the pages are fetched as the iteration reaches them. The
        links between them are followed on the client's own endpoint only.

        :return: The rooms; ``by_page()`` gives them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.CommunicationRoom]
        :raises ~azure.core.exceptions.HttpResponseError: While iterating: the service refused the request, or what
         answered was not the service.
        :raises ~azure.core.exceptions.AzureError: While iterating: the service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.list_rooms(**kwargs)

    @distributed_trace
    def update_room(
        self,
        room_id: str,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        pstn_dial_out_enabled: bool | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Change a room. What is not given stays as it is.

        :param str room_id: The room's ID.
        :keyword valid_from: From when on the room can be joined. UTC where it has no time zone.
        :paramtype valid_from: ~datetime.datetime or None
        :keyword valid_until: Until when the room can be joined, at most 180 days after its ``valid_from``. UTC where it
         has no time zone.
        :paramtype valid_until: ~datetime.datetime or None
        :keyword pstn_dial_out_enabled: Whether phone numbers can be called from the room.
        :paramtype pstn_dial_out_enabled: bool or None
        :return: The room as it is now.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises TypeError: An argument is of a wrong type.
        :raises ValueError: ``room_id`` is empty, or a time is outside of the years 1 to 9999.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request otherwise, or what answered
         was not the service.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        return self._operations.update_room(room_id, body, **kwargs)

    @distributed_trace
    def delete_room(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> None:
        """Delete a room.

        Where an attempt failed in a way that leaves open whether the service executed it (the connection broke, no
        answer came in time, 408 or 5xx), and the next attempt finds no such room, the room counts as deleted by this
        call.

        :param str room_id: The room's ID.
        :raises TypeError: ``room_id`` is not a str.
        :raises ValueError: ``room_id`` is empty.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request otherwise.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        self._operations.delete_room(room_id, **kwargs)

    @distributed_trace
    def add_or_update_participants(
        self, room_id: str, participants: Iterable[RoomParticipant], **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Invite participants to a room, or change the role of those already invited.

        :param str room_id: The room's ID.
        :param participants: The participants, each with the role it is to have.
        :type participants: Iterable[~azure.communication.rooms.RoomParticipant]
        :raises TypeError: An argument is of a wrong type.
        :raises ValueError: ``room_id`` is empty, or one identifier is there twice with two roles.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request otherwise, or what answered
         was not the service.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        body = {"participants": _roles_by_raw_id(participants)}
        self._operations.update_participants(room_id, body, **kwargs)

    @distributed_trace
    def remove_participants(
        self,
        room_id: str,
        participants: Iterable[RoomParticipant | CommunicationIdentifier],
        **kwargs: Unpack[RequestOptions],
    ) -> None:
        """Remove participants from a room. Removing one who is not in the room succeeds.

        :param str room_id: The room's ID.
        :param participants: Whom to remove.
        :type participants: Iterable[~azure.communication.rooms.RoomParticipant or
         ~azure.communication.rooms.CommunicationIdentifier]
        :raises TypeError: An argument is of a wrong type.
        :raises ValueError: ``room_id`` is empty.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused the request otherwise, or what answered
         was not the service.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        removed = {
            raw_id_of(
                f"participants[{index}]",
                participant.communication_identifier if isinstance(participant, RoomParticipant) else participant,
            ): None
            for index, participant in enumerate(_iterable(participants))
        }
        self._operations.update_participants(room_id, {"participants": removed}, **kwargs)

    @distributed_trace
    def list_participants(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> ItemPaged[RoomParticipant]:
        """List the participants of a room.

        Nothing is sent before the first participant is asked for; the pages are fetched as the iteration reaches them.

        :param str room_id: The room's ID.
        :return: The participants; ``by_page()`` gives them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.RoomParticipant]
        :raises TypeError: ``room_id`` is not a str.
        :raises ValueError: ``room_id`` is empty.
        :raises ~azure.core.exceptions.ResourceNotFoundError: While iterating: there is no such room.
        :raises ~azure.core.exceptions.HttpResponseError: While iterating: the service refused the request otherwise, or
         what answered was not the service.
        :raises ~azure.core.exceptions.AzureError: While iterating: the service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.list_participants(room_id, **kwargs)

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Send a request of your own through the client's pipeline, authenticated like the others.

        :param ~azure.core.rest.HttpRequest request: The request; it is not changed. A relative URL is one on the
         endpoint. No ``api-version`` is added. With an access key, the content must be bytes or str.
        :keyword bool stream: Whether to leave the answer's body to be read by the caller. Default: False.
        :return: The answer, whatever its status.
        :rtype: ~azure.core.rest.HttpResponse
        :raises TypeError: ``request`` is not an ~azure.core.rest.HttpRequest.
        :raises ValueError: The URL is absolute and on another scheme, host or port than the endpoint: the client's
         credential is for its endpoint alone.
        :raises ~azure.core.exceptions.AzureError: The service could not be reached.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        if not isinstance(request, HttpRequest):
            raise TypeError(f"request must be an azure.core.rest.HttpRequest, not {type(request).__name__}")
        request = copy.deepcopy(request)
        if not urlsplit(request.url).netloc:
            request.url = f"{self._endpoint}/{request.url.lstrip('/')}"
        elif origin(request.url) != origin(self._endpoint):
            raise ValueError("request has a URL that is not on the client's endpoint")
        return self._pipeline.run(request, stream=stream, **kwargs).http_response

    def close(self) -> None:
        """Close the client's connections. The client cannot be used afterwards; to close it again does nothing."""
        self._pipeline.__exit__()

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


def _room_body(
    valid_from: datetime | None, valid_until: datetime | None, pstn_dial_out_enabled: bool | None
) -> dict[str, object]:
    body: dict[str, object] = {}
    if valid_from is not None:
        body["validFrom"] = request_time("valid_from", valid_from)
    if valid_until is not None:
        body["validUntil"] = request_time("valid_until", valid_until)
    if pstn_dial_out_enabled is not None:
        if not isinstance(pstn_dial_out_enabled, bool):
            raise TypeError(f"pstn_dial_out_enabled must be a bool, not {type(pstn_dial_out_enabled).__name__}")
        body["pstnDialOutEnabled"] = pstn_dial_out_enabled
    return body


def _iterable(participants: object) -> Iterable[object]:
    if isinstance(participants, (str, bytes)) or not isinstance(participants, Iterable):
        raise TypeError(f"participants must be an iterable of participants, not {type(participants).__name__}")
    return participants


def _roles_by_raw_id(participants: object) -> dict[str, dict[str, str]]:
    roles: dict[str, dict[str, str]] = {}
    for index, participant in enumerate(_iterable(participants)):
        if not isinstance(participant, RoomParticipant):
            raise TypeError(f"participants[{index}] must be a RoomParticipant, not {type(participant).__name__}")
        raw_id = raw_id_of(f"participants[{index}]", participant.communication_identifier)
        role: dict[str, str] = {"role": participant.role}
        if roles.setdefault(raw_id, role) != role:
            raise ValueError(f"participants has {raw_id!r} twice, with two roles")
    return roles
