import base64
from collections.abc import Callable

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._errors import ServiceError
from azure.communication.rooms.emulator._paging import decode_token, encode_token

from .calls import call, new_client


def token_of(link: str) -> str:
    return link.partition("nextLink=")[2].partition("&")[0]


@pytest.mark.parametrize("position", [0, 1, 4711, 2**63 - 1])
def test_token_format(position: int) -> None:
    token = encode_token(position)
    assert len(token) == 715
    assert token.isascii()
    assert token.isalnum()
    assert base64.b64decode(token + "=").startswith(b'[{"token":"+RID:~')
    assert decode_token(token) == position


@pytest.mark.parametrize(
    "change", [lambda t: t[:-4], lambda t: t + "=", lambda t: "V" + t[1:], lambda t: t[:-9] + "AAAA"]
)
def test_changed_tokens_are_rejected(change: Callable[[str], str]) -> None:
    with pytest.raises(ServiceError, match="The nextLink was not issued by this service"):
        decode_token(change(encode_token(1)))


@pytest.mark.parametrize("token", ["", "x", "%00", "AAAA", "é", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OQ=="])
def test_unknown_tokens_are_rejected(client: RoomsClient, token: str) -> None:
    assert call(client, "GET", f"/rooms?nextLink={token}").status_code == 400


def test_link_has_origin_of_request(client: RoomsClient, emulator: RoomsEmulator) -> None:
    for _ in range(4):
        client.create_room()
    localhost = RoomsClient.from_connection_string(emulator.connection_string.replace("127.0.0.1", "localhost"))
    for each, host in ((client, "127.0.0.1"), (localhost, "localhost")):
        link = call(each, "GET", "/rooms", version="2024-04-15").json()["nextLink"]
        port = emulator.endpoint.rpartition(":")[2]
        assert link == f"http://{host}:{port}/rooms?nextLink={token_of(link)}&api-version=2024-04-15"


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
def test_only_last_page_has_no_link(client: RoomsClient, count: int, sizes: list[int]) -> None:
    for _ in range(count):
        client.create_room()
    assert [len(list(page)) for page in client.list_rooms().by_page()] == sizes


def test_deleted_rooms_leave_gaps_in_pages(client: RoomsClient) -> None:
    ids = [client.create_room().id for _ in range(9)][::-1]
    for room_id in (ids[1], *ids[3:6]):
        client.delete_room(room_id)
    pages = [[room.id for room in page] for page in client.list_rooms().by_page()]
    assert pages == [[ids[0], ids[2]], [], ids[6:]]


def test_page_of_30_stored_rooms() -> None:
    with RoomsEmulator() as emulator, new_client(emulator) as client:
        ids = [client.create_room().id for _ in range(45)][::-1]
        for room_id in ids[:30:2]:
            client.delete_room(room_id)
        first, second = [[room.id for room in page] for page in client.list_rooms().by_page()]
    assert (first, second) == (ids[1:30:2], ids[30:])


def test_rooms_change_between_pages(client: RoomsClient) -> None:
    ids = [client.create_room().id for _ in range(9)][::-1]
    pages = client.list_rooms().by_page()
    seen = [room.id for room in next(pages)]
    for room_id in (ids[0], ids[2], ids[3], ids[8]):
        client.delete_room(room_id)
    client.create_room()
    for page in pages:
        seen += [room.id for room in page]
    assert seen == [*ids[:3], *ids[4:8]]


def test_participants_oldest_first(client: RoomsClient) -> None:
    raw_ids = [f"8:acs:{number}" for number in range(7)]
    room_id = call(client, "POST", "/rooms", {"participants": {raw_id: {} for raw_id in raw_ids}}).json()["id"]
    call(client, "PATCH", f"/rooms/{room_id}/participants", {"participants": {raw_ids[0]: {"role": "Presenter"}}})
    pages = [
        [each.communication_identifier.raw_id for each in page] for page in client.list_participants(room_id).by_page()
    ]
    assert pages == [raw_ids[:3], raw_ids[3:6], raw_ids[6:]]
