"""The client: arguments become the service's JSON here, after they were found to be what they must be."""

import copy
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.paging import ItemPaged
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    ProxyPolicy,
    RedirectPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Self

from ._api_version import DEFAULT_API_VERSION, ApiVersion
from ._authentication import authentication_policy, origin, parse_connection_string, parse_endpoint
from ._identifiers import CommunicationIdentifier
from ._models import CommunicationRoom, RoomParticipant, raw_id_of
from ._operations import RoomsOperations, room_path
from ._policies import RedactedTraceLoggingPolicy, RoomsHttpLoggingPolicy, RoomsRequestIdPolicy, RoomsRetryPolicy
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
        credential: AzureKeyCredential | TokenCredential,
        *,
        api_version: str | ApiVersion = DEFAULT_API_VERSION,
        **kwargs: Any,
    ) -> None:
        self._endpoint = parse_endpoint(endpoint)
        authentication = authentication_policy(self._endpoint, credential)
        if not isinstance(api_version, str):
            raise TypeError(f"api_version must be a str or an ApiVersion, not {type(api_version).__name__}")
        policies = kwargs.pop("policies", None)
        if policies is None:
            kwargs.setdefault("sdk_moniker", f"communication-rooms/{VERSION}")
            policies = [
                RoomsRequestIdPolicy(**kwargs),
                HeadersPolicy(**kwargs),
                kwargs.get("user_agent_policy") or UserAgentPolicy(**kwargs),
                kwargs.get("proxy_policy") or ProxyPolicy(**kwargs),
                kwargs.get("redirect_policy") or RedirectPolicy(**kwargs),
                kwargs.get("retry_policy") or RoomsRetryPolicy(**kwargs),
                # From here on at each attempt. What follows the authentication changes nothing that it signs.
                kwargs.get("custom_hook_policy") or CustomHookPolicy(**kwargs),
                kwargs.get("authentication_policy") or authentication,
                kwargs.get("logging_policy") or RedactedTraceLoggingPolicy(**kwargs),
                DistributedTracingPolicy(instrumentation_config=self._instrumentation_config, **kwargs),
                SensitiveHeaderCleanupPolicy(**kwargs),
                kwargs.get("http_logging_policy") or RoomsHttpLoggingPolicy(**kwargs),
            ]
        transport = kwargs.pop("transport", None)
        if transport is None:
            from ._transport import default_transport  # noqa: PLC0415 - requests is imported when a client needs it

            transport = default_transport(**kwargs)
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self._endpoint, policies=policies, transport=transport, **kwargs
        )
        self._operations = RoomsOperations(self._client, self._endpoint, api_version)

    @classmethod
    def from_connection_string(cls, conn_str: str, **kwargs: Any) -> Self:
        """Make a client from a resource's connection string.

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<base64 key>``.
         An ``http://`` endpoint, such as the emulator's, stays http.
        :return: The client.
        :rtype: ~azure.communication.rooms.RoomsClient
        :raises TypeError: ``conn_str`` is not a str.
        :raises ValueError: A part is missing, is there twice or is not what it must be; the message never shows it.
        """
        endpoint, access_key = parse_connection_string(conn_str)
        return cls(endpoint, AzureKeyCredential(access_key), **kwargs)

    @distributed_trace
    def create_room(
        self,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        pstn_dial_out_enabled: bool | None = None,
        participants: Iterable[RoomParticipant] | None = None,
        **kwargs: Any,
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
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        if participants is not None:
            body["participants"] = _roles_by_raw_id(participants)
        return self._operations.create_room(body, **kwargs)

    @distributed_trace
    def get_room(self, room_id: str, **kwargs: Any) -> CommunicationRoom:
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
        return self._operations.get_room(room_path(room_id), **kwargs)

    @distributed_trace
    def list_rooms(self, **kwargs: Any) -> ItemPaged[CommunicationRoom]:
        """List the resource's rooms that are still valid, newest first.

        Nothing is sent before the first room is asked for; the pages are fetched as the iteration reaches them. The
        links between them are followed on the client's own endpoint only.

        :return: The rooms; ``by_page()`` gives them page by page, with continuation tokens.
        :rtype: ~azure.core.paging.ItemPaged[~azure.communication.rooms.CommunicationRoom]
        :raises ~azure.core.exceptions.HttpResponseError: While iterating: the service refused the request, or what
         answered was not the service.
        :raises ~azure.core.exceptions.AzureError: While iterating: the service could not be reached.
        """
        return self._operations.list_rooms(**kwargs)

    @distributed_trace
    def update_room(
        self,
        room_id: str,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        pstn_dial_out_enabled: bool | None = None,
        **kwargs: Any,
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
        body = _room_body(valid_from, valid_until, pstn_dial_out_enabled)
        return self._operations.update_room(room_path(room_id), body, **kwargs)

    @distributed_trace
    def delete_room(self, room_id: str, **kwargs: Any) -> None:
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
        self._operations.delete_room(room_path(room_id), **kwargs)

    @distributed_trace
    def add_or_update_participants(self, room_id: str, participants: Iterable[RoomParticipant], **kwargs: Any) -> None:
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
        body = {"participants": _roles_by_raw_id(participants)}
        self._operations.update_participants(room_path(room_id), body, **kwargs)

    @distributed_trace
    def remove_participants(
        self, room_id: str, participants: Iterable[RoomParticipant | CommunicationIdentifier], **kwargs: Any
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
        removed = {
            raw_id_of(
                f"participants[{index}]",
                participant.communication_identifier if isinstance(participant, RoomParticipant) else participant,
            ): None
            for index, participant in enumerate(_iterable(participants))
        }
        self._operations.update_participants(room_path(room_id), {"participants": removed}, **kwargs)

    @distributed_trace
    def list_participants(self, room_id: str, **kwargs: Any) -> ItemPaged[RoomParticipant]:
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
        return self._operations.list_participants(room_path(room_id), **kwargs)

    def send_request(self, request: HttpRequest, *, stream: bool = False, **kwargs: Any) -> HttpResponse:
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
        if not isinstance(request, HttpRequest):
            raise TypeError(f"request must be an azure.core.rest.HttpRequest, not {type(request).__name__}")
        request = copy.deepcopy(request)
        if not urlsplit(request.url).netloc:
            request.url = f"{self._endpoint}/{request.url.lstrip('/')}"
        elif origin(request.url) != origin(self._endpoint):
            raise ValueError("request has a URL that is not on the client's endpoint")
        return self._client.send_request(request, stream=stream, **kwargs)

    def close(self) -> None:
        """Close the client's connections. The client cannot be used afterwards; to close it again does nothing."""
        self._client.close()

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._client.__exit__(exc_type, exc_value, traceback)


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
