"""The client: validates arguments and builds the request JSON."""

import copy
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.paging import ItemPaged
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Self, Unpack

from ._endpoint import has_dot_segments, origin, parse_connection_string, parse_endpoint
from ._identifiers import CommunicationIdentifier
from ._models import ApiVersion, CommunicationRoom, ParticipantLike, RoomParticipant, raw_id_of, role_of
from ._operations import RoomsOperations, read, room_path
from ._options import CLIENT_OPTIONS, ClientOptions, RequestOptions, check_numbers, check_options
from ._repeatability import repeatability_headers
from ._time import request_time
from ._version import VERSION


class RoomsClient:
    """A client of the Rooms service of one Azure Communication Services resource.

    A room is an invite-only call space with a lifetime and participants. To join a call, use one of the Calling SDKs.

    .. code-block:: python

        from azure.communication.rooms import RoomsClient

        with RoomsClient.from_connection_string(connection_string) as client:
            print(client.create_room().id)

    Threads may share a client, but not an iterator of :meth:`list_rooms`. Clients share their connections, so you can
    create one for each call. You can fork, and copy or pickle a client; a pickled client contains its credential.

    :class:`ClientOptions` lists the keyword options of the client, and :class:`RequestOptions` those of each operation.
    An option of a call replaces the client's and applies to every attempt of that call.

    Every operation may raise these errors, a list while you iterate. All but the first two are azure-core's AzureError.

    - ``TypeError`` or ``ValueError``: an argument or option is invalid, or the client is closed. Nothing was sent.
    - ``OSError``: there is no file that ``connection_verify`` or ``connection_cert`` names. Nothing was sent.
    - ``HttpResponseError``: the service rejected the request. ``status_code``, ``error`` and ``message`` say why.
    - ``ClientAuthenticationError``, an ``HttpResponseError``: the credential was rejected, or has no valid token.
    - ``DecodeError``, an ``HttpResponseError``: the response is not the service's JSON. Perhaps a proxy sent it.
    - ``ServiceRequestError``: the client could not connect.
    - ``ServiceResponseError``: no complete response came. The service may or may not have executed the request.

    :param str endpoint: The resource's endpoint, such as ``https://contoso.communication.azure.com``. It may have a
     port and a path prefix. If it has no scheme, the client uses https.
    :param credential: The resource's access key, or a Microsoft Entra ID credential.
    :type credential: ~azure.core.credentials.AzureKeyCredential or ~azure.core.credentials.TokenCredential or str
    :keyword str api_version: The version of the REST API, see :class:`ApiVersion`. Default: 2025-03-13, the newest.
    :raises TypeError: An argument has the wrong type, or an option is unknown.
    :raises ValueError: The endpoint is invalid or, for a TokenCredential, not https. Or the access key is not base64.
    """

    # azure-core takes the tracer's name from this attribute.
    _instrumentation_config: ClassVar = {"library_name": "azure-communication-rooms", "library_version": VERSION}

    def __init__(
        self,
        endpoint: str,
        credential: AzureKeyCredential | TokenCredential | str,
        *,
        api_version: str | ApiVersion = ApiVersion.V2025_03_13,
        **kwargs: Unpack[ClientOptions],
    ) -> None:
        from ._pipeline import build_pipeline  # noqa: PLC0415 - urllib3 is slow to import, and only a client needs it

        if not isinstance(api_version, str):
            raise TypeError(f"api_version must be a str or an ApiVersion, not {type(api_version).__name__}")
        check_options(kwargs, CLIENT_OPTIONS, CLIENT_OPTIONS)
        check_numbers(kwargs)
        self._endpoint = parse_endpoint(endpoint)
        self._pipeline = build_pipeline(self._endpoint, credential, self._instrumentation_config, **kwargs)
        self._operations = RoomsOperations(self._pipeline, self._endpoint, api_version)

    @classmethod
    def from_connection_string(
        cls, conn_str: str, *, api_version: str | ApiVersion = ApiVersion.V2025_03_13, **kwargs: Unpack[ClientOptions]
    ) -> Self:
        """Create a client from a resource's connection string.

        .. code-block:: python

            from azure.communication.rooms import RoomsClient

            client = RoomsClient.from_connection_string(connection_string, retry_total=5)

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<base64 key>``.
         An ``http://`` endpoint, such as the emulator's, stays http.
        :keyword str api_version: As for :class:`RoomsClient`.
        :return: The client.
        :rtype: ~azure.communication.rooms.RoomsClient
        :raises ValueError: The connection string is invalid, or as for :class:`RoomsClient`. No message shows it.
        """
        endpoint, access_key = parse_connection_string(conn_str)
        return cls(endpoint, AzureKeyCredential(access_key), api_version=api_version, **kwargs)

    @distributed_trace
    def create_room(
        self,
        *,
        valid_from: datetime | date | str | None = None,
        valid_until: datetime | date | str | None = None,
        pstn_dial_out_enabled: bool | None = None,
        participants: Iterable[ParticipantLike | Mapping[str, object]] | None = None,
        repeatability_request_id: str | UUID | None = None,
        repeatability_first_sent: datetime | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Create a room.

        .. code-block:: python

            from datetime import datetime, timedelta, timezone

            from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant

            presenter = RoomParticipant(CommunicationUserIdentifier(user_id), ParticipantRole.PRESENTER)
            closes = datetime.now(timezone.utc) + timedelta(days=1)
            room = client.create_room(valid_until=closes, participants=[presenter])

        The client sends only the arguments that you pass. All attempts of the call carry the same repeatability ID, so
        they create one room. To repeat the call later without creating a second room, such as after a crash, pass all
        arguments again, with the same ID and time. It is unknown how long the service remembers an ID.

        :keyword valid_from: When the room opens, in the past or at most 180 days ahead. A string is ISO 8601. Without
         a time zone, a time is in UTC; a date is midnight. Default: now, by the service's clock.
        :paramtype valid_from: ~datetime.datetime or ~datetime.date or str or None
        :keyword valid_until: When the room closes, at most 180 days after it opens. The value is as for ``valid_from``.
         Default: 180 days from now, whenever the room opens.
        :paramtype valid_until: ~datetime.datetime or ~datetime.date or str or None
        :keyword bool pstn_dial_out_enabled: Whether participants can dial out to phone numbers. Default: False.
        :keyword participants: Who is invited: each a :class:`RoomParticipant`, the service's JSON
         ``{"rawId": ..., "role": ...}``, or any object with ``communication_identifier`` and ``role``. Default: nobody.
        :paramtype participants: Iterable[~azure.communication.rooms.ParticipantLike or Mapping[str, object]] or None
        :keyword repeatability_request_id: A UUID that identifies this request. Default: a random one.
        :paramtype repeatability_request_id: str or ~uuid.UUID or None
        :keyword repeatability_first_sent: When you first sent this request, to the second. A time without a time zone
         is in UTC. Pass it together with ``repeatability_request_id``. Default: now.
        :paramtype repeatability_first_sent: ~datetime.datetime or None
        :return: The new room.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises ValueError: An identifier occurs twice with different roles, a time is invalid, or only one of the two
         repeatability arguments is given.
        """
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        if participants is not None:
            body["participants"] = _participants_json(participants)
        headers = kwargs.get("headers") or {}
        repeatability = repeatability_headers(repeatability_request_id, repeatability_first_sent, headers)
        return read(self._operations.request("POST", "/rooms", 201, body, repeatability, **kwargs), CommunicationRoom)

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
        return read(self._operations.request("GET", room_path(room_id), 200, **kwargs), CommunicationRoom)

    @distributed_trace
    def list_rooms(self, **kwargs: Unpack[RequestOptions]) -> ItemPaged[CommunicationRoom]:
        """List the rooms of the resource, newest first.

        .. code-block:: python

            for room in client.list_rooms():
                print(room.id, room.valid_until)

        The list may include expired rooms. The client fetches each page when you iterate to it.

        :return: The rooms. ``by_page()`` returns them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.CommunicationRoom]
        """
        return self._operations.list_items("/rooms", CommunicationRoom, **kwargs)

    @distributed_trace
    def update_room(
        self,
        room_id: str,
        *,
        valid_from: datetime | date | str | None = None,
        valid_until: datetime | date | str | None = None,
        pstn_dial_out_enabled: bool | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> CommunicationRoom:
        """Update a room. Values that you don't pass stay as they are.

        .. code-block:: python

            from datetime import timedelta

            room = client.get_room(room_id)
            closes = room.valid_until - timedelta(hours=1)
            room = client.update_room(room_id, valid_from=room.valid_from, valid_until=closes)

        Pass both ``valid_from`` and ``valid_until`` or neither: the service rejects one without the other.

        :param str room_id: The room's ID.
        :keyword valid_from: When the room opens, as for :meth:`create_room`. Default: None, unchanged.
        :paramtype valid_from: ~datetime.datetime or ~datetime.date or str or None
        :keyword valid_until: When the room closes, as for :meth:`create_room`. Default: None, unchanged.
        :paramtype valid_until: ~datetime.datetime or ~datetime.date or str or None
        :keyword bool pstn_dial_out_enabled: Whether participants can dial out. Default: None, unchanged.
        :return: The updated room.
        :rtype: ~azure.communication.rooms.CommunicationRoom
        :raises ValueError: A time is invalid.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        return read(self._operations.request("PATCH", room_path(room_id), 200, body, **kwargs), CommunicationRoom)

    @distributed_trace
    def delete_room(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> None:
        """Delete a room. Deleting it again succeeds. An ongoing call may continue: phone participants reportedly stay.

        .. code-block:: python

            client.delete_room(room_id)

        :param str room_id: The room's ID.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There never was such a room.
        """
        self._operations.request("DELETE", room_path(room_id), 204, **kwargs)

    @distributed_trace
    def add_or_update_participants(
        self,
        room_id: str,
        participants: Iterable[ParticipantLike | Mapping[str, object]],
        **kwargs: Unpack[RequestOptions],
    ) -> None:
        """Invite participants to a room, or change the roles of those already invited.

        .. code-block:: python

            client.add_or_update_participants(room_id, [{"rawId": user_id, "role": "Presenter"}])

        :param str room_id: The room's ID.
        :param participants: The participants with their new roles, as for :meth:`create_room`.
        :type participants: Iterable[~azure.communication.rooms.ParticipantLike or Mapping[str, object]]
        :raises ValueError: An identifier occurs twice with different roles.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        body = {"participants": _participants_json(participants)}
        read(self._operations.request("PATCH", f"{room_path(room_id)}/participants", 200, body, **kwargs), dict)

    @distributed_trace
    def remove_participants(
        self,
        room_id: str,
        participants: Iterable[ParticipantLike | CommunicationIdentifier | Mapping[str, object]],
        **kwargs: Unpack[RequestOptions],
    ) -> None:
        """Remove participants from a room. Removing someone who is not in the room succeeds.

        .. code-block:: python

            client.remove_participants(room_id, [{"rawId": user_id}])

        :param str room_id: The room's ID.
        :param participants: Whom to remove: each an identifier, or anything that :meth:`create_room` takes.
        :type participants: Iterable[~azure.communication.rooms.ParticipantLike or
         ~azure.communication.rooms.CommunicationIdentifier or Mapping[str, object]]
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room.
        """
        body = {"participants": _participants_json(participants, removes=True)}
        read(self._operations.request("PATCH", f"{room_path(room_id)}/participants", 200, body, **kwargs), dict)

    @distributed_trace
    def list_participants(self, room_id: str, **kwargs: Unpack[RequestOptions]) -> ItemPaged[RoomParticipant]:
        """List the participants of a room, in the order in which they were added.

        .. code-block:: python

            for participant in client.list_participants(room_id):
                print(participant.communication_identifier.raw_id, participant.role)

        :param str room_id: The room's ID.
        :return: The participants. ``by_page()`` returns them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.RoomParticipant]
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such room. Raised while you iterate.
        """
        return self._operations.list_items(f"{room_path(room_id)}/participants", RoomParticipant, **kwargs)

    @distributed_trace
    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Unpack[RequestOptions]
    ) -> HttpResponse:
        """Send your own request through the client's pipeline, which authenticates it.

        .. code-block:: python

            from azure.core.rest import HttpRequest

            response = client.send_request(HttpRequest("GET", "/rooms", params={"api-version": "2025-03-13"}))
            print(response.json())

        The client adds no ``api-version``. It retries a POST or PATCH only after a 429 with ``Retry-After``. If
        repeating it is always safe, pass ``retry_on_methods=["POST"]``.

        :param ~azure.core.rest.HttpRequest request: The request. The client sends a copy and does not change it. A
         relative URL is relative to the endpoint. The content must be bytes or str.
        :keyword bool stream: Whether to return before the body is read. You then read it yourself. Default: False.
        :return: The response. An error status code does not raise an error.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ValueError: The URL's scheme, host or port is not the endpoint's, or the URL has dot segments.
        """
        if not isinstance(request, HttpRequest):
            raise TypeError(f"request must be an azure.core.rest.HttpRequest, not {type(request).__name__}")
        request = copy.deepcopy(request)
        parts = urlsplit(request.url)
        if has_dot_segments(parts.path):
            raise ValueError("the request's URL must not have dot segments")
        if not parts.netloc:
            request.url = f"{self._endpoint}/{request.url.lstrip('/')}"
        elif origin(request.url) == origin(self._endpoint):
            request.url = f"{origin(self._endpoint)}{parts.path}{'?' if parts.query else ''}{parts.query}"
        else:
            raise ValueError("the request's URL must have the scheme, host and port of the client's endpoint")
        return self._operations.send_request(request, stream, **kwargs)

    def close(self) -> None:
        """Close the client. You can't use it afterwards. The shared connections stay open for other clients."""
        self._pipeline.__exit__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._endpoint}>"

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _room_body(valid_from: object, valid_until: object, pstn_dial_out_enabled: object) -> dict[str, object]:
    body: dict[str, object] = {}
    for member, name, time in (("validFrom", "valid_from", valid_from), ("validUntil", "valid_until", valid_until)):
        if time is not None:
            body[member] = request_time(name, time)
    if pstn_dial_out_enabled is not None:
        if not isinstance(pstn_dial_out_enabled, bool):
            raise TypeError(f"pstn_dial_out_enabled must be a bool, not {type(pstn_dial_out_enabled).__name__}")
        body["pstnDialOutEnabled"] = pstn_dial_out_enabled
    return body


def _participants_json(participants: object, *, removes: bool = False) -> dict[str, object]:
    """Return a role for each raw ID, or None for each that the service is to remove."""
    if isinstance(participants, (str, bytes, Mapping)) or not isinstance(participants, Iterable):
        raise TypeError(f"participants must be an iterable of participants, not {type(participants).__name__}")
    roles: dict[str, object] = {}
    for index, participant in enumerate(participants):
        name = f"participants[{index}]"
        try:
            value = RoomParticipant(participant) if isinstance(participant, Mapping) else participant
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        role = None
        if removes:
            raw_id = raw_id_of(name, getattr(value, "communication_identifier", value))
        elif hasattr(value, "communication_identifier") and hasattr(value, "role"):
            raw_id = raw_id_of(f"{name}: communication_identifier", value.communication_identifier)
            role = {"role": str(role_of(f"{name}: role", value.role))}
        else:
            kinds = "a RoomParticipant, a mapping of its JSON or an object with communication_identifier and role"
            raise TypeError(f"{name} must be {kinds}, not {type(value).__name__}")
        if roles.setdefault(raw_id, role) != role:
            raise ValueError(f"participants has {raw_id!r} twice, with different roles")
    return roles
