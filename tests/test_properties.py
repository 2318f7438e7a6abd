"""Properties that hold for all inputs."""

import base64
import contextlib
import copy
import json
import pickle
from datetime import datetime, timedelta, timezone
from typing import TypeAlias, TypeVar
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from azure.communication.rooms import (
    CommunicationIdentifier,
    CommunicationRoom,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
    identifier_from_raw_id,
)
from azure.communication.rooms.emulator import RoomsEmulator

from .support.credentials import ACCESS_KEY, signature_headers
from .support.operations import ROOM_OPERATIONS
from .support.wire_server import response, wire_server

# Derandomized, so that each run tests the same examples. All examples of a property share one emulator.
offline = settings(deadline=None, derandomize=True, max_examples=100)
over_http = settings(offline, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])

Json: TypeAlias = dict[str, object]
Copyable = TypeVar("Copyable", CommunicationRoom, RoomParticipant, CommunicationIdentifier)

prefixes = st.sampled_from(["8:acs:", "8:orgid:", "8:gcch:", "8:teamsvisitor:", "28:dod:", "4:", "8:", "28:", "5:", ""])
raw_ids = st.builds(str.__add__, prefixes, st.text())
roles = st.sampled_from([role.value for role in list(ParticipantRole)]) | st.text()
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
json_values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(), scalars, max_size=3)
unknown_members = st.dictionaries(st.text().map(lambda name: f"x-{name}"), json_values, max_size=3)
# At least a day from both ends of the calendar, so that no zone moves a time past them.
inner_times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - without a zone on purpose
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def rfc_3339_times(draw: st.DrawFn) -> tuple[str, datetime]:
    """A time in any RFC 3339 format, and the same instant as a datetime, truncated to microseconds."""
    time = draw(inner_times).replace(microsecond=0, tzinfo=draw(zones))
    fraction = draw(st.text("0123456789", max_size=9))
    text = f"{time.isoformat()[:19]}{f'.{fraction}' if fraction else ''}{time.isoformat()[19:]}"
    return text.replace("+00:00", "Z"), time + timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))


@st.composite
def room_json(draw: st.DrawFn) -> Json:
    time = rfc_3339_times().map(lambda pair: pair[0])
    data: Json = {name: draw(time) for name in ("createdAt", "validFrom", "validUntil")}
    dial_out = draw(st.sampled_from([{}, *({"pstnDialOutEnabled": flag} for flag in (True, False, None))]))
    return {"id": draw(st.text()), **data, **dial_out, **draw(unknown_members)}


@st.composite
def participant_json(draw: st.DrawFn) -> Json:
    return {"rawId": draw(raw_ids), "role": draw(roles), **draw(unknown_members)}


def room_created_at(time: datetime | str) -> CommunicationRoom:
    return CommunicationRoom(id="1", created_at=time, valid_from="2026-12-01", valid_until="2026-12-02")


def copies(original: Copyable) -> list[Copyable]:
    pickles: list[bytes] = [pickle.dumps(original, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    return [copy.copy(original), copy.deepcopy(original), *map(pickle.loads, pickles)]


@offline
@given(room_json())
def test_room_round_trips(data: Json) -> None:
    room = CommunicationRoom(data)
    for other in (CommunicationRoom(json.loads(json.dumps(room.as_dict()))), *copies(room)):
        assert other == room
        assert vars(other) == vars(room)
        assert other.as_dict() == data
    assert CommunicationRoom(**vars(room)) == room


@offline
@given(participant_json())
def test_participant_round_trips(data: Json) -> None:
    participant = RoomParticipant(data)
    assert participant.communication_identifier.raw_id == data["rawId"]
    assert participant.role == data["role"]
    for other in (RoomParticipant(participant.as_dict()), *copies(participant)):
        assert other == participant
        assert other.as_dict() == data


@offline
@given(raw_ids)
def test_identifier_keeps_the_raw_id(raw_id: str) -> None:
    identifier = identifier_from_raw_id(raw_id)
    assert str(identifier) == identifier.raw_id == raw_id
    for copied in copies(identifier):
        assert type(copied) is type(identifier)
        assert (copied, copied.kind, copied.properties) == (identifier, identifier.kind, identifier.properties)


@offline
@given(rfc_3339_times())
@example(("2023-07-05T21:57:45.9999999+00:00", datetime(2023, 7, 5, 21, 57, 45, 999999, timezone.utc)))
@example(("2023-07-05T21:57:44", datetime(2023, 7, 5, 21, 57, 44, tzinfo=timezone.utc)))
def test_times_are_read_to_microseconds(time: tuple[str, datetime]) -> None:
    text, instant = time
    room = CommunicationRoom({"id": "1", "createdAt": text, "validFrom": text, "validUntil": text})
    assert [room.created_at, room.valid_from, room.valid_until] == [instant] * 3
    assert room_created_at(text).created_at == instant


@offline
@given(st.text(st.sampled_from("0123456789TZW:-+., ")) | st.text())
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        room = room_created_at(text)
    except ValueError as error:
        assert str(error).startswith("created_at ")  # noqa: PT017 - or there is no error
    else:
        assert room.created_at.tzinfo is timezone.utc


@offline
@given(inner_times, zones | st.none())
def test_datetimes_keep_their_instant(local: datetime, zone: timezone | None) -> None:
    assert room_created_at(local.replace(tzinfo=zone)).created_at == local.replace(tzinfo=zone or timezone.utc)


@over_http
@given(st.text(min_size=1).filter(lambda room_id: room_id not in (".", "..")), st.sampled_from(sorted(ROOM_OPERATIONS)))
@example("%41/b?a=b#c", "list_participants")
@example("\0 +&=;,\N{GRINNING FACE}", "remove_participants")
def test_room_ids_are_signed_as_sent(emulator: RoomsEmulator, client: RoomsClient, room_id: str, name: str) -> None:
    operation = ROOM_OPERATIONS[name]
    with pytest.raises(HttpResponseError) as caught:
        operation.call(client, room_id)
    assert caught.value.status_code in (400, 404)  # not 401
    request = emulator.requests[-1]
    assert request.method == operation.method
    assert request.path == operation.path.format(room_id=quote(room_id, safe=""))


@over_http
@given(st.binary(max_size=100), st.booleans())
@example(b"9999999999999999999", True)
def test_page_tokens_are_signed_as_sent(
    emulator: RoomsEmulator, client: RoomsClient, content: bytes, is_quoted: bool
) -> None:
    token = base64.b64encode(content).decode("ascii")
    query = f"nextLink={quote(token, safe='') if is_quoted else token}&api-version=2025-03-13"
    with contextlib.suppress(HttpResponseError):
        next(client.list_rooms().by_page(continuation_token=f"https://elsewhere.example/rooms?{query}"))
    assert emulator.requests[-1].query == query
    assert emulator.requests[-1].status_code in (200, 400)  # 200 if the token happens to be valid; never 401


labels = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.integers(1, 65535).map(":{}".format) | st.sampled_from(["", ":80", ":443"])


@over_http
@given(hosts, ports)
@example("Contoso.Communication.Azure.COM", ":80")
def test_hosts_and_ports_are_signed_as_sent(host: str, port: str) -> None:
    with (
        wire_server(response(b'{"value":[]}')) as proxy,
        RoomsClient(f"http://{host}{port}", ACCESS_KEY, proxies={"http": proxy.endpoint}) as client,
    ):
        assert list(client.list_rooms()) == []
    [request] = proxy.requests
    authority = request.headers["Host"]
    path_and_query = "/rooms?api-version=2025-03-13"
    assert authority == host.lower() + ("" if port == ":80" else port)
    assert request.target == f"http://{authority}{path_and_query}"
    expected = signature_headers("GET", path_and_query, request.headers["x-ms-date"], authority)
    assert request.headers["Authorization"] == expected["Authorization"]
