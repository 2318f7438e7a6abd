import base64
import re
from collections.abc import Callable

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call, message


def token_of(link: str) -> str:
    return link.partition("nextLink=")[2].partition("&")[0]


def first_link(client: RoomsClient) -> str:
    """The link on the first of two pages."""
    for _ in range(4):
        client.create_room()
    link: str = call(client, "GET", "/rooms").json()["nextLink"]
    return link


def test_token_format(client: RoomsClient) -> None:
    token = token_of(first_link(client))
    assert re.fullmatch("[A-Za-z0-9]{715}", token)
    base64.b64decode(token + "=", validate=True)


@pytest.mark.parametrize(
    "change", [lambda token: token[:-4], lambda token: token + "=", lambda token: f"OTk5OTk5{token[8:]}"]
)
def test_changed_tokens_are_rejected(client: RoomsClient, change: Callable[[str], str]) -> None:
    response = call(client, "GET", f"/rooms?nextLink={change(token_of(first_link(client)))}")
    assert (response.status_code, message(response)) == (400, "The nextLink was not issued by this service.")


@pytest.mark.parametrize("token", ["", "x", "%00", "AAAA", "é", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OQ=="])
def test_unknown_tokens_are_rejected(client: RoomsClient, token: str) -> None:
    assert call(client, "GET", f"/rooms?nextLink={token}").status_code == 400


def test_link_has_origin_of_request(client: RoomsClient, emulator: RoomsEmulator) -> None:
    first_link(client)
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


def test_participants_oldest_first(emulator: RoomsEmulator, client: RoomsClient) -> None:
    raw_ids = [emulator.create_user().raw_id for _ in range(7)]
    room_id = call(client, "POST", "/rooms", {"participants": {raw_id: {} for raw_id in raw_ids}}).json()["id"]
    call(client, "PATCH", f"/rooms/{room_id}/participants", {"participants": {raw_ids[0]: {"role": "Presenter"}}})
    pages = [
        [each.communication_identifier.raw_id for each in page] for page in client.list_participants(room_id).by_page()
    ]
    assert pages == [raw_ids[:3], raw_ids[3:6], raw_ids[6:]]
