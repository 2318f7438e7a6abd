"""The client: validates arguments and builds the request JSON."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit
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
from ._models import CommunicationRoom, ParticipantLike, RoomParticipant, raw_id_of
from ._operations import RoomsOperations
from ._options import CLIENT_OPTIONS, REQUEST_OPTIONS, ClientOptions, Policy, RequestOptions, check_options
from ._repeatability import check_client_headers, repeatability_headers
from ._time import request_time
from ._version import VERSION


class RoomsClient:
    """A client of the Rooms service of one Azure Communication Services resource.

    A room is an invite-only call space with a lifetime and a list of participants. The client creates, reads, updates
    and deletes rooms. To join a call, use one of the Calling SDKs.

    .. code-block:: python

        from azure.communication.rooms import RoomsClient

        with RoomsClient.from_connection_string(connection_string) as client:
            room = client.create_room()
            print(room.id, room.valid_until)

    **Threads and processes.** Threads may share a client, and the access key may be rotated meanwhile with
    ``AzureKeyCredential.update``. The client keeps one connection for each thread that sends at the same time. An
    iterator of :meth:`list_rooms` or :meth:`list_participants` belongs to one thread, as any iterator does. After a
    fork, parent and child may both use the client: the child opens its own connections. So does a copy, made by
    ``copy.deepcopy``, ``pickle`` or ``multiprocessing``. A pickled client contains its credential: keep it secret.

    **Retries.** The client retries an operation if it can't connect, if the connection breaks, if no response comes in
    time, and if the status code is 408, 429, 500, 502, 503, 504 or above 505. None of these retries duplicates work:
    all attempts of one :meth:`create_room` carry the same repeatability ID, and the other operations are idempotent.
    By default there are up to three retries after failures to connect (``retry_connect``), three after connections
    that broke and responses that did not come (``retry_read``), and three after status codes (``retry_status``). The
    waits between attempts grow and have some randomness. A ``Retry-After`` header sets the wait instead, and
    ``retry_backoff_max`` (120 seconds) caps every wait.

    **Timeouts.** For each attempt, ``connection_timeout`` limits the time to connect, and ``read_timeout`` the time
    from when the request was sent until its whole response has been read. Both are 300 seconds by default. ``timeout``
    limits the call: no attempt begins later, and no wait begins that would outlast it.

    **Options.** :class:`ClientOptions` lists the keyword options of the client, and :class:`RequestOptions` those of
    each operation. An option of a call replaces the client's and applies to every attempt of that call.

    **Responses.** To see the status code, the headers or the IDs of a call, for a support case for example, pass
    ``raw_response_hook``:

    .. code-block:: python

        from azure.core.pipeline import PipelineResponse
        from azure.core.rest import HttpRequest, HttpResponse


        def show(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
            print(response.http_response.status_code)
            print(response.http_response.headers.get("MS-CV"))
            print(response.http_request.headers.get("x-ms-client-request-id"))


        client.get_room(room_id, raw_response_hook=show)

    **Errors.** Every operation may raise the errors below. The iterators of the two lists raise them while iterating.

    - ``TypeError``: an argument has the wrong type, or an option is unknown. Nothing was sent.
    - ``ValueError``: an argument has an invalid value, such as an empty ``room_id``. Nothing was sent.
    - ``azure.core.exceptions.HttpResponseError``: the service refused the request. ``status_code`` and ``error`` say
      why. Its subclass ``ClientAuthenticationError`` means that the service rejected the credential, and
      ``ResourceNotFoundError`` that there is no such room.
    - ``azure.core.exceptions.ServiceRequestError``: the client could not connect. Nothing was sent.
    - ``azure.core.exceptions.ServiceResponseError``: no complete response came. The service may or may not have
      executed the request.
    - ``azure.core.exceptions.DecodeError``: the response is not the JSON that the service documents. Perhaps a proxy
      sent it.

    The last four are ``azure.core.exceptions.AzureError``.

    :param str endpoint: The resource's endpoint, such as ``https://contoso.communication.azure.com``. It may have a
     port and a path prefix. Without a scheme, it is https.
    :param credential: The resource's access key, or a Microsoft Entra ID credential.
    :type credential: ~azure.core.credentials.AzureKeyCredential or ~azure.core.credentials.TokenCredential or str
    :keyword api_version: The version of the REST API. Default: 2025-03-13, the newest.
    :paramtype api_version: str or ~azure.communication.rooms.ApiVersion
    :keyword policies: Replaces the client's whole pipeline, authentication included. Default: None.
    :paramtype policies: Iterable[~azure.core.pipeline.policies.HTTPPolicy or
     ~azure.core.pipeline.policies.SansIOHTTPPolicy] or None
    :keyword transport: Sends the requests instead of the client's own transport. Default: None.
    :paramtype transport: ~azure.core.pipeline.transport.HttpTransport or None
    :raises TypeError: An argument has the wrong type, or an option is unknown.
    :raises ValueError: The endpoint is not a URL of scheme, host, port and path; it is http and the credential is
     a TokenCredential, whose tokens are sent over TLS only; the access key is not base64; or ``headers`` contains
     repeatability headers, which belong to a single call.
    """

    # azure-core names the tracer after this.
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
        from ._pipeline import build_pipeline  # noqa: PLC0415 - only a program that makes a client needs urllib3

        if not isinstance(api_version, str):
            raise TypeError(f"api_version must be a str or an ApiVersion, not {type(api_version).__name__}")
        check_options(kwargs, CLIENT_OPTIONS, "api_version", "policies", "transport")
        check_client_headers(kwargs.get("headers") or {})
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

        .. code-block:: python

            from azure.communication.rooms import RoomsClient

            client = RoomsClient.from_connection_string(connection_string, retry_total=5)

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<base64 key>``.
         An ``http://`` endpoint, such as the emulator's, stays http.
        :keyword api_version: As for :class:`RoomsClient`.
        :paramtype api_version: str or ~azure.communication.rooms.ApiVersion
        :keyword policies: As for :class:`RoomsClient`.
        :paramtype policies: Iterable[~azure.core.pipeline.policies.HTTPPolicy or
         ~azure.core.pipeline.policies.SansIOHTTPPolicy] or None
        :keyword transport: As for :class:`RoomsClient`.
        :paramtype transport: ~azure.core.pipeline.transport.HttpTransport or None
        :return: The client.
        :rtype: ~azure.communication.rooms.RoomsClient
        :raises TypeError: ``conn_str`` is not a str, or as for :class:`RoomsClient`.
        :raises ValueError: A part of the connection string is missing, duplicate or invalid; the message does not show
         it. Or as for :class:`RoomsClient`.
        """
        endpoint, access_key = parse_connection_string(conn_str)
        credential = AzureKeyCredential(access_key)
        return cls(endpoint, credential, api_version=api_version, policies=policies, transport=transport, **kwargs)

    @distributed_trace
    def create_room(
        self,
        *,
        valid_from: datetime | str | None = None,
        valid_until: datetime | str | None = None,
        pstn_dial_out_enabled: bool | None = None,
        participants: Iterable[ParticipantLike | Mapping[str, object]] | None = None,
        repeatability_request_id: str | UUID | None = None,
        repeatability_first_sent: datetime | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Create a room.

        .. code-block:: python

            from datetime import datetime, timedelta, timezone

            from azure.communication.rooms import ParticipantRole, PhoneNumberIdentifier, RoomParticipant

            opens = datetime.now(timezone.utc) + timedelta(days=1)
            room = client.create_room(
                valid_from=opens,
                valid_until=opens + timedelta(hours=1),
                participants=[RoomParticipant(PhoneNumberIdentifier("+14255550123"), ParticipantRole.PRESENTER)],
            )

        The client sends only the arguments that you pass; the service has defaults for the others. All attempts of the
        call carry the same repeatability ID, so they create one room. To make sure that a later call, perhaps after a
        crash, creates no second room, pass the same ``repeatability_request_id`` and ``repeatability_first_sent`` (and
        otherwise the same arguments) to both calls. It is unknown how long the service remembers them.

        :keyword valid_from: When the room opens, in the past or at most 180 days ahead. A string is ISO 8601. A time
         without a time zone is in UTC. Default: now.
        :paramtype valid_from: ~datetime.datetime or str or None
        :keyword valid_until: When the room closes, at most 180 days after ``valid_from``. A string is ISO 8601. A time
         without a time zone is in UTC. Default: 180 days from now, whatever ``valid_from`` is.
        :paramtype valid_until: ~datetime.datetime or str or None
        :keyword pstn_dial_out_enabled: Whether participants can dial out to phone numbers. Default: False.
        :paramtype pstn_dial_out_enabled: bool or None
        :keyword participants: Who is invited: each a :class:`RoomParticipant`, the service's JSON
         ``{"rawId": ..., "role": ...}``, or any object with ``communication_identifier`` and ``role``. Default: nobody.
        :paramtype participants: Iterable[~azure.communication.rooms.ParticipantLike or Mapping[str, object]] or None
        :keyword repeatability_request_id: A UUID of your own for this create. It goes together with
         ``repeatability_first_sent``. Default: a random one.
        :paramtype repeatability_request_id: str or ~uuid.UUID or None
        :keyword repeatability_first_sent: When you first sent this create, to the second. A time without a time zone is
         in UTC. Default: now.
        :paramtype repeatability_first_sent: ~datetime.datetime or None
        :return: The room as the service created it.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises ValueError: An identifier occurs twice with different roles, a time is invalid, or only one of the two
         repeatability arguments is given.
        """
        check_options(
            kwargs,
            REQUEST_OPTIONS,
            "valid_from",
            "valid_until",
            "pstn_dial_out_enabled",
            "participants",
            "repeatability_request_id",
            "repeatability_first_sent",
        )
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

        .. code-block:: python

            room = client.get_room(room_id)
            print(room.valid_from, room.valid_until)

        :param str room_id: The room's ID.
        :return: The room.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.get_room(room_id, **kwargs)

    @distributed_trace
    def list_rooms(self, **kwargs: Unpack[RequestOptions]) -> ItemPaged[CommunicationRoom]:
        """List the rooms of the resource, newest first.

        .. code-block:: python

            for room in client.list_rooms():
                print(room.id, room.valid_until)

        The service may also list rooms that have closed. The client sends nothing until you iterate, and fetches each
        page when the iteration reaches it. It follows the links between the pages only on its own endpoint.

        :return: The rooms. ``by_page()`` returns them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.CommunicationRoom]
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.list_rooms(**kwargs)

    @distributed_trace
    def update_room(
        self,
        room_id: str,
        *,
        valid_from: datetime | str | None = None,
        valid_until: datetime | str | None = None,
        pstn_dial_out_enabled: bool | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Update a room. What you don't pass stays as it is.

        .. code-block:: python

            from datetime import timedelta

            room = client.get_room(room_id)
            room = client.update_room(
                room_id,
                valid_from=room.valid_from,
                valid_until=room.valid_until - timedelta(hours=1),
            )

        ``valid_from`` and ``valid_until`` go together: the service rejects one without the other.

        :param str room_id: The room's ID.
        :keyword valid_from: When the room opens, in the past or at most 180 days ahead. A string is ISO 8601. A time
         without a time zone is in UTC. Default: unchanged.
        :paramtype valid_from: ~datetime.datetime or str or None
        :keyword valid_until: When the room closes, at most 180 days after ``valid_from``. A string is ISO 8601. A time
         without a time zone is in UTC. Default: unchanged.
        :paramtype valid_until: ~datetime.datetime or str or None
        :keyword pstn_dial_out_enabled: Whether participants can dial out to phone numbers. Default: unchanged.
        :paramtype pstn_dial_out_enabled: bool or None
        :return: The updated room.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises ValueError: ``room_id`` is empty, or a time is invalid.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS, "valid_from", "valid_until", "pstn_dial_out_enabled")
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        return self._operations.update_room(room_id, body, **kwargs)

    @distributed_trace
    def delete_room(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> None:
        """Delete a room.

        .. code-block:: python

            client.delete_room(room_id)

        Don't rely on this to end an ongoing call: phone participants reportedly stay connected, and the service does
        not document what happens to the others.

        If an attempt fails after it may have deleted the room (the connection broke, no response came in time, 408 or
        5xx), and the next attempt finds no such room, then the call succeeds.

        :param str room_id: The room's ID.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        self._operations.delete_room(room_id, **kwargs)

    @distributed_trace
    def add_or_update_participants(
        self,
        room_id: str,
        participants: Iterable[ParticipantLike | Mapping[str, object]],
        **kwargs: Unpack[RequestOptions],
    ) -> None:
        """Invite participants to a room, or change the roles of those already invited.

        .. code-block:: python

            from azure.communication.rooms import ParticipantRole, PhoneNumberIdentifier, RoomParticipant

            presenter = RoomParticipant(PhoneNumberIdentifier("+14255550123"), ParticipantRole.PRESENTER)
            client.add_or_update_participants(room_id, [presenter])

        :param str room_id: The room's ID.
        :param participants: The participants with their new roles: each a :class:`RoomParticipant`, the service's JSON
         ``{"rawId": ..., "role": ...}``, or any object with ``communication_identifier`` and ``role``.
        :type participants: Iterable[~azure.communication.rooms.ParticipantLike or Mapping[str, object]]
        :raises ValueError: ``room_id`` is empty, or an identifier occurs twice with different roles.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        body = {"participants": _roles_by_raw_id(participants)}
        self._operations.update_participants(room_id, body, **kwargs)

    @distributed_trace
    def remove_participants(
        self,
        room_id: str,
        participants: Iterable[ParticipantLike | CommunicationIdentifier | Mapping[str, object]],
        **kwargs: Unpack[RequestOptions],
    ) -> None:
        """Remove participants from a room. Removing somebody who is not in the room succeeds.

        .. code-block:: python

            from azure.communication.rooms import PhoneNumberIdentifier

            client.remove_participants(room_id, [PhoneNumberIdentifier("+14255550123")])

        :param str room_id: The room's ID.
        :param participants: Whom to remove: each an identifier, a :class:`RoomParticipant`, the service's JSON
         ``{"rawId": ...}``, or any object with ``communication_identifier``.
        :type participants: Iterable[~azure.communication.rooms.ParticipantLike or
         ~azure.communication.rooms.CommunicationIdentifier or Mapping[str, object]]
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        removed = {raw_id_of(name, _identifier(name, value)): None for name, value in _named(participants)}
        self._operations.update_participants(room_id, {"participants": removed}, **kwargs)

    @distributed_trace
    def list_participants(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> ItemPaged[RoomParticipant]:
        """List the participants of a room, in the order in which they were added.

        .. code-block:: python

            for participant in client.list_participants(room_id):
                print(participant.communication_identifier.raw_id, participant.role)

        The client sends nothing until you iterate, and fetches each page when the iteration reaches it.

        :param str room_id: The room's ID.
        :return: The participants. ``by_page()`` returns them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.RoomParticipant]
        :raises ~azure.core.exceptions.ResourceNotFoundError: While iterating: there is no such room.
        """
        check_options(kwargs, REQUEST_OPTIONS)
        return self._operations.list_participants(room_id, **kwargs)

    @distributed_trace
    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Send a request of your own through the client's pipeline, authenticated like the others.

        .. code-block:: python

            from azure.core.rest import HttpRequest

            response = client.send_request(HttpRequest("GET", "/rooms", params={"api-version": "2025-03-13"}))
            response.raise_for_status()
            print(response.json())

        The client adds no ``api-version``. It retries the request as azure-core does by default, and like its own
        operations if the request has a ``Repeatability-Request-ID`` or is a merge patch.

        :param ~azure.core.rest.HttpRequest request: The request, which is not changed. A relative URL is relative to
         the endpoint. The content must be bytes or str.
        :keyword bool stream: Whether to leave the response's body for you to read. Default: False.
        :return: The response, whatever its status code.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ValueError: The URL has another scheme, host or port than the endpoint, to which the credential belongs.
        """
        check_options(kwargs, REQUEST_OPTIONS, "stream")
        if not isinstance(request, HttpRequest):
            raise TypeError(f"request must be an azure.core.rest.HttpRequest, not {type(request).__name__}")
        request = copy.deepcopy(request)
        if not urlsplit(request.url).netloc:
            request.url = f"{self._endpoint}/{request.url.lstrip('/')}"
        elif origin(request.url) != origin(self._endpoint):
            raise ValueError("request has a URL that is not on the client's endpoint")
        if params := kwargs.pop("params", None):
            request.url += f"{'&' if '?' in request.url else '?'}{urlencode(params)}"
        return self._pipeline.run(request, stream=stream, **kwargs).http_response

    def close(self) -> None:
        """Close the client's connections. Using the client afterwards is an error. Closing it again is harmless."""
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
    valid_from: datetime | str | None, valid_until: datetime | str | None, pstn_dial_out_enabled: bool | None
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


def _roles_by_raw_id(participants: object) -> dict[str, dict[str, str]]:
    roles: dict[str, dict[str, str]] = {}
    for name, value in _named(participants):
        participant = _participant(name, value)
        raw_id = raw_id_of(name, participant.communication_identifier)
        role = {"role": str(participant.role)}
        if roles.setdefault(raw_id, role) != role:
            raise ValueError(f"participants has {raw_id!r} twice, with different roles")
    return roles


def _named(participants: object) -> Iterator[tuple[str, object]]:
    """Yield each participant with the name that errors call it by."""
    if isinstance(participants, (str, bytes, Mapping)) or not isinstance(participants, Iterable):
        raise TypeError(f"participants must be an iterable of participants, not {type(participants).__name__}")
    for index, participant in enumerate(participants):
        yield f"participants[{index}]", participant


def _participant(name: str, value: Any) -> RoomParticipant:
    if isinstance(value, RoomParticipant):
        return value
    if not isinstance(value, Mapping) and not (hasattr(value, "communication_identifier") and hasattr(value, "role")):
        raise TypeError(
            f"{name} must be a RoomParticipant, a mapping of the service's JSON, or an object with "
            f"communication_identifier and role, not {type(value).__name__}"
        )
    try:
        if isinstance(value, Mapping):
            return RoomParticipant(value)
        return RoomParticipant(value.communication_identifier, value.role)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _identifier(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        return _participant(name, value).communication_identifier
    return getattr(value, "communication_identifier", value)
