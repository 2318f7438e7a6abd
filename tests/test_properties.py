"""Properties that hold for all inputs."""

import base64
import contextlib
import copy
import json
import pickle
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlsplit

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from azure.communication.rooms import (
    CommunicationRoom,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
    identifier_from_raw_id,
)
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .support.credentials import ACCESS_KEY, signature_headers
from .support.faults import RETRIED_FAULTS, FaultKind
from .support.operations import ROOM_OPERATIONS
from .support.scripted_server import Response, Script, scripted_server

# Derandomized, so that each run tests the same examples. All examples of a property share one emulator.
offline = settings(deadline=None, derandomize=True, database=None, max_examples=200)
over_http = settings(offline, suppress_health_check=[HealthCheck.function_scoped_fixture])

KNOWN_PREFIXES = [
    "8:acs:", "8:dod-acs:", "8:gcch-acs:", "8:spool:", "8:orgid:", "8:dod:", "8:gcch:", "8:teamsvisitor:",
    "28:orgid:", "28:dod:", "28:gcch:", "4:",
]  # fmt: skip

Json: TypeAlias = dict[str, object]
Model = TypeVar("Model", CommunicationRoom, RoomParticipant)

well_formed_raw_ids = st.builds(str.__add__, st.sampled_from(KNOWN_PREFIXES), st.text(min_size=1))
raw_ids = st.builds(str.__add__, st.sampled_from([*KNOWN_PREFIXES, "8:", "28:", "5:", ""]), st.text())
roles = st.sampled_from([role.value for role in list(ParticipantRole)]) | st.text()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)
unknown_members = st.dictionaries(st.text().map(lambda name: f"x-{name}"), json_values, max_size=3)
offsets = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59))
time_zones = offsets.map(timezone)
# At least a day from both ends of the calendar, so that no offset moves a time past them.
inner_times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - naive on purpose
utc_times = st.datetimes(timezones=st.just(timezone.utc))


@st.composite
def rfc_3339_times(draw: st.DrawFn) -> tuple[str, datetime]:
    """A time in any RFC 3339 format, and the same instant as a datetime, truncated to microseconds."""
    local = draw(inner_times).replace(microsecond=0)
    fraction = draw(st.text("0123456789", max_size=9))
    minutes = draw(st.integers(-(23 * 60 + 59), 23 * 60 + 59) | st.none())
    offset = timedelta(minutes=minutes or 0)
    hours_and_minutes = "{:02}:{:02}".format(*divmod(abs(minutes or 0), 60))
    suffix = "Z" if minutes is None else f"{'-' if minutes < 0 else '+'}{hours_and_minutes}"
    microseconds = timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))
    text = f"{local.isoformat()}{f'.{fraction}' if fraction else ''}{suffix}"
    return text, (local + microseconds - offset).replace(tzinfo=timezone.utc)


@st.composite
def room_json(draw: st.DrawFn) -> Json:
    time = rfc_3339_times().map(lambda pair: pair[0])
    data: Json = {"id": draw(st.text(min_size=1)), **draw(unknown_members)}
    data |= {name: draw(time) for name in ("createdAt", "validFrom", "validUntil")}
    return data | draw(st.sampled_from([{}, *({"pstnDialOutEnabled": flag} for flag in (True, False, None))]))


@st.composite
def participant_json(draw: st.DrawFn) -> Json:
    return {"rawId": draw(raw_ids), "role": draw(roles), **draw(unknown_members)}


def assert_round_trips(model: Model, from_json: Callable[[Json], Model]) -> None:
    """Copy the model in every way. Each copy must be equal, with the same repr and JSON, including unknown members."""
    data = model.as_dict()
    copiers: list[Callable[[Model], Model]] = [
        lambda model: from_json(model.as_dict()),
        lambda model: from_json(json.loads(json.dumps(model.as_dict()))),
        copy.copy,
        copy.deepcopy,
        *(
            lambda model, protocol=protocol: pickle.loads(pickle.dumps(model, protocol))
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
    ]
    for copier in copiers:
        copied = copier(model)
        assert copied == model
        assert repr(copied) == repr(model)
        assert copied.as_dict() == data


@offline
@given(room_json())
def test_room_round_trips(data: Json) -> None:
    room = CommunicationRoom(data)
    assert room.as_dict() == data
    assert_round_trips(room, CommunicationRoom)


@offline
@given(st.text(min_size=1), utc_times, utc_times, utc_times, st.none() | st.booleans())
def test_room_has_the_values_given(
    room_id: str, created_at: datetime, valid_from: datetime, valid_until: datetime, flag: bool | None
) -> None:
    room = CommunicationRoom(
        id=room_id,
        created_at=created_at,
        valid_from=valid_from,
        valid_until=valid_until,
        pstn_dial_out_enabled=flag,
    )
    values = (room.id, room.created_at, room.valid_from, room.valid_until, room.pstn_dial_out_enabled)
    assert values == (room_id, created_at, valid_from, valid_until, flag)
    assert_round_trips(room, CommunicationRoom)


@offline
@given(participant_json())
def test_participant_round_trips(data: Json) -> None:
    participant = RoomParticipant(data)
    assert participant.as_dict() == data
    assert participant.communication_identifier.raw_id == data["rawId"]
    assert participant.role == data["role"]
    assert_round_trips(participant, RoomParticipant)


@offline
@given(raw_ids, roles)
def test_participant_has_the_values_given(raw_id: str, role: str) -> None:
    participant = RoomParticipant(identifier_from_raw_id(raw_id), role)
    assert participant.as_dict() == {"rawId": raw_id, "role": role}
    assert_round_trips(participant, RoomParticipant)


@offline
@given(raw_ids | st.text(st.characters()))  # including lone surrogates, which UTF-8 cannot encode
def test_identifier_keeps_the_raw_id(raw_id: str) -> None:
    identifier = identifier_from_raw_id(raw_id)
    assert identifier.raw_id == raw_id
    for copied in (copy.copy(identifier), copy.deepcopy(identifier), pickle.loads(pickle.dumps(identifier))):
        assert type(copied) is type(identifier)
        assert (copied, copied.kind, copied.properties) == (identifier, identifier.kind, identifier.properties)


@offline
@given(rfc_3339_times())
@example(("2023-07-05T21:57:45.1688857+00:00", datetime(2023, 7, 5, 21, 57, 45, 168885, timezone.utc)))
def test_times_are_read_to_microseconds(time: tuple[str, datetime]) -> None:
    text, instant = time
    room = CommunicationRoom({"id": "1", "createdAt": text, "validFrom": text, "validUntil": text})
    assert [room.created_at, room.valid_from, room.valid_until] == [instant] * 3
    assert room.valid_from.utcoffset() == timedelta(0)


@over_http
@given(inner_times | st.datetimes(timezones=st.none() | time_zones))
def test_datetimes_keep_their_instant(emulator: RoomsEmulator, client: RoomsClient, time: datetime) -> None:
    try:
        instant = time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
    except OverflowError:
        with pytest.raises(ValueError, match="valid_from is outside the years 1 to 9999"):
            client.create_room(valid_from=time)
        return
    with contextlib.suppress(HttpResponseError):  # the service refuses most of these times
        client.create_room(valid_from=time)
    arrived = json.loads(emulator.requests[-1].body)
    assert arrived.keys() == {"validFrom"}
    assert datetime.fromisoformat(arrived["validFrom"].replace("Z", "+00:00")) == instant


@over_http
@given(st.text(min_size=1), st.sampled_from(sorted(ROOM_OPERATIONS)))
@example(".", "get_room")
@example("..", "delete_room")
@example("%41", "update_room")
@example("a/b", "list_participants")
@example("?a=b#c", "add_or_update_participants")
@example("9941234567890123", "get_room")
@example("\0 +&=;,\N{GRINNING FACE}", "remove_participants")
def test_room_ids_are_signed_as_sent(emulator: RoomsEmulator, client: RoomsClient, room_id: str, name: str) -> None:
    operation = ROOM_OPERATIONS[name]
    with pytest.raises(HttpResponseError) as caught:
        operation.call(client, room_id)
    is_well_formed = 16 <= len(room_id) <= 18 and room_id.isascii() and room_id.isdigit()
    assert caught.value.status_code == (404 if is_well_formed else 400)  # not 401
    request = emulator.requests[-1]
    begin, rooms, quoted_room_id, *rest = request.path.split("/")
    assert request.method == operation.method
    assert "/".join([begin, rooms, "{room_id}", *rest]) == operation.path
    assert unquote(quoted_room_id) == room_id


def encode_for_url(text: str) -> str:
    """Percent-encode only the characters that a URL cannot contain."""
    return quote(re.sub("%(?![0-9A-Fa-f]{2})", "%25", text), safe="!$%&'()*+,-./:;=?@_~")


def normalize_escapes(text: str) -> str:
    """Write the hexadecimal digits of percent-escapes in upper case. The URL keeps its meaning."""
    return re.sub("%..", lambda escape: escape.group().upper(), text)


# A link cannot contain the excluded characters: a fragment follows #, and urlsplit removes line breaks and tabs.
page_tokens = st.text(st.characters(codec="utf-8", exclude_characters="#\t\r\n")) | st.text("+/=%2Bb a")


@over_http
@given(page_tokens)
@example("+/==")
@example("%2B%2b")
@example("100%")
@example("%2B and 100%")
def test_page_tokens_are_signed_as_sent(emulator: RoomsEmulator, client: RoomsClient, token: str) -> None:
    link = f"https://elsewhere.example/rooms?nextLink={token}&api-version=2025-03-13"
    with pytest.raises(HttpResponseError) as caught:
        next(client.list_rooms().by_page(continuation_token=link))
    sent = f"nextLink={encode_for_url(token)}&api-version=2025-03-13"
    assert normalize_escapes(emulator.requests[-1].query) == normalize_escapes(sent)
    assert caught.value.status_code == 400  # not 401


@over_http
@given(st.binary(max_size=100))
@example(b"9999999999999999999")
def test_base64_page_tokens_are_unchanged(emulator: RoomsEmulator, client: RoomsClient, content: bytes) -> None:
    token = base64.b64encode(content).decode("ascii")
    link = f"https://elsewhere.example/rooms?nextLink={token}&api-version=2025-03-13"
    with contextlib.suppress(HttpResponseError):
        next(client.list_rooms(retry_total=0).by_page(continuation_token=link))
    assert emulator.requests[-1].query == f"nextLink={token}&api-version=2025-03-13"
    assert emulator.requests[-1].status_code in (200, 400)  # 200 if the token happens to be valid; never 401


def mixed_case(text: str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from([letter.lower(), letter.upper()]) for letter in text)).map("".join)


spellings = st.tuples(
    mixed_case("http://"),
    mixed_case("localhost") | st.just("127.0.0.1"),
    st.sampled_from(["", "/", "//"]),
    st.sampled_from(["", " ", "\n"]),
)


@over_http
@given(spellings)
def test_endpoints_are_signed_as_sent(emulator: RoomsEmulator, spelling: tuple[str, str, str, str]) -> None:
    scheme, host, slashes, space = spelling
    endpoint = f"{space}{scheme}{host}:{urlsplit(emulator.endpoint).port}{slashes}{space}"
    with RoomsClient(endpoint, AzureKeyCredential(DEVELOPMENT_ACCESS_KEY)) as client:
        assert list(client.list_rooms()) == []
    assert emulator.requests[-1].path == "/rooms"


labels = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.integers(1, 65535).map(":{}".format) | st.sampled_from(["", ":", ":80", ":443"])


@pytest.fixture(scope="module")
def proxy() -> Iterator[Script]:
    with scripted_server() as proxy:
        yield proxy


@over_http
@given(hosts, ports)
@example("Contoso.Communication.Azure.COM", ":80")
def test_hosts_and_ports_are_signed_as_sent(proxy: Script, host: str, port: str) -> None:
    proxy.responses.append(Response(body=b'{"value":[]}'))
    with RoomsClient(
        f"http://{host}{port}", ACCESS_KEY, proxies={"http": proxy.endpoint}, use_env_settings=False
    ) as client:
        assert list(client.list_rooms()) == []
    _, target, headers = proxy.requests.pop()
    authority = host.lower() + ("" if port in ("", ":", ":80") else port)
    path_and_query = f"/rooms?api-version={DEFAULT_API_VERSION.value}"
    assert target == f"http://{authority}{path_and_query}"
    assert headers["Host"] == authority
    expected = signature_headers("GET", path_and_query, headers["x-ms-date"], authority)
    assert headers["Authorization"] == expected["Authorization"]


prefixes = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="?#")) | st.text("/%2Ba.")


@over_http
@given(prefixes)
@example("api/%2Frooms")
@example("%2B-and-100%")
@example("..x/.y")
@example("/a:b")
def test_path_prefixes_are_signed_as_sent(emulator: RoomsEmulator, prefix: str) -> None:
    prefix = f"/{prefix}".rstrip("/")
    assume(prefix not in ("", "/rooms"))
    assume(not {".", ".."} & set(prefix.split("/")))  # the client refuses these, because a proxy may resolve them
    with (
        RoomsClient(f"{emulator.endpoint}{prefix}/", AzureKeyCredential(DEVELOPMENT_ACCESS_KEY)) as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        list(client.list_rooms())
    sent = f"{encode_for_url(prefix)}/rooms"
    assert normalize_escapes(emulator.requests[-1].path) == normalize_escapes(sent)
    assert caught.value.status_code == 404  # not 401: the signature is right, but the path does not exist


@st.composite
def connection_strings(draw: st.DrawFn) -> str:
    """A connection string for the endpoint ``{endpoint}``, in any order, case and spacing."""
    spaces = st.text(" \t\n", max_size=2)
    values = {"endpoint": "{endpoint}", "accesskey": DEVELOPMENT_ACCESS_KEY}
    values |= draw(st.dictionaries(st.sampled_from(["entitypath", "region", "x"]), st.just("a=b"), max_size=2))
    segments = [
        "".join([draw(spaces), draw(mixed_case(name)), draw(spaces), "=", draw(spaces), value, draw(spaces)])
        for name, value in values.items()
    ]
    segments += draw(st.lists(spaces, max_size=2))
    return ";".join(draw(st.permutations(segments)))


@over_http
@given(connection_strings())
def test_spellings_of_a_connection_string(emulator: RoomsEmulator, conn_str: str) -> None:
    with RoomsClient.from_connection_string(conn_str.replace("{endpoint}", emulator.endpoint)) as client:
        assert list(client.list_rooms()) == []


retried_faults = st.sampled_from(list(RETRIED_FAULTS.values()))


@over_http
@given(st.lists(retried_faults, max_size=3), st.dictionaries(well_formed_raw_ids, st.sampled_from(ParticipantRole)))
def test_create_makes_one_room_despite_faults(
    emulator: RoomsEmulator,
    client: RoomsClient,
    faults: list[FaultKind],
    roles: dict[str, ParticipantRole],
) -> None:
    emulator.reset()
    for fault in faults:
        emulator.inject(**fault.arguments)
    participants = [RoomParticipant(identifier_from_raw_id(raw_id), role) for raw_id, role in roles.items()]
    room = client.create_room(participants=participants)
    assert list(client.list_rooms()) == [room]
    assert list(client.list_participants(room.id)) == participants
