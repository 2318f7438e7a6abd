"""The client and the emulator behave like a simple model of rooms, even if requests fail."""

import operator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, TypeAlias

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from azure.communication.rooms import (
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms.emulator import RoomsEmulator

from .support.faults import FAULTS
from .support.operations import NO_ROOM, OPERATIONS, ROOM_OPERATIONS, USERS

Fault: TypeAlias = dict[str, Any]  # arguments of ``inject``
Roles: TypeAlias = dict[CommunicationUserIdentifier, ParticipantRole]  # in the order in which they were added

NOW = datetime.now(timezone.utc)
PAGE_SIZE = 3  # of the emulator in conftest.py

RETRIED: list[Fault] = [kind.arguments for kind in FAULTS.values() if kind.is_retried]
NOT_RETRIED: list[Fault] = [kind.arguments for kind in FAULTS.values() if not kind.is_retried]
NOT_EXECUTED: list[Fault] = [kind.arguments for kind in FAULTS.values() if not kind.is_executed]
# A response from something other than the service, such as a captive portal. The client does not retry.
FOREIGN_RESPONSE: Fault = {"body": b"<html>"}


def lists_of(retried: list[Fault]) -> st.SearchStrategy[list[Fault]]:
    """Faults of the first attempts, and perhaps one of the last attempt."""
    first, last = st.lists(st.sampled_from(retried), max_size=3), st.lists(st.sampled_from(NOT_RETRIED), max_size=1)
    return st.builds(operator.add, first, last)


recoverable_faults = lists_of(RETRIED)
# The response to a DELETE has no body to truncate.
recoverable_faults_of_delete = lists_of([fault for fault in RETRIED if "truncate" not in fault])
# The call raises an error, so the service must not have executed an attempt.
fatal_faults = st.lists(st.sampled_from(NOT_EXECUTED), max_size=2).map(lambda faults: [*faults, FOREIGN_RESPONSE])

# There are only a few users, so that the same participant is often added, changed and removed.
users = st.sampled_from(USERS[:6])
some_roles = st.dictionaries(users, st.sampled_from(ParticipantRole), max_size=5)
# Days from now. Most are valid lifetimes.
beginnings = st.none() | st.integers(-90, 90) | st.integers(-400, 400)
endings = st.none() | st.integers(1, 90) | st.integers(-400, 400)
flags = st.none() | st.booleans()


def day(number: int | None) -> datetime | None:
    """The time this many days after the start of the tests, which take less than a day."""
    return None if number is None else NOW + timedelta(days=number)


def arguments_of(begin: int | None, end: int | None, flag: bool | None) -> dict[str, Any]:
    return {"valid_from": day(begin), "valid_until": day(end), "pstn_dial_out_enabled": flag}


def is_accepted(begin: int | None, end: int | None) -> bool:
    """Tell whether the service accepts these days. It checks a range only if there is an end."""
    if begin is not None and begin > 180:
        return False
    return end is None or (end > 0 and (begin or 0) <= end <= (begin or 0) + 180)


def participants_of(roles: Roles) -> list[RoomParticipant]:
    return [RoomParticipant(user, role) for user, role in roles.items()]


class Rooms(RuleBasedStateMachine):
    """Each rule injects faults, makes one call, and updates the expected rooms and roles."""

    emulator: ClassVar[RoomsEmulator]
    client: ClassVar[RoomsClient]
    observer: ClassVar[RoomsClient]

    rooms: Bundle[str] = Bundle("rooms")
    deleted_rooms: Bundle[str] = Bundle("deleted_rooms")

    def __init__(self) -> None:
        super().__init__()
        self.emulator.reset()
        self.room: dict[str, CommunicationRoom] = {}
        self.roles: dict[str, Roles] = {}

    def inject(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.emulator.inject(**fault)

    @invariant()
    def client_emulator_and_model_agree(self) -> None:
        # The observer does not retry, so it fails if a rule left a fault behind.
        assert list(self.observer.list_rooms()) == list(reversed(self.room.values()))
        for room_id, roles in self.roles.items():
            assert list(self.observer.list_participants(room_id)) == participants_of(roles)

    @initialize(target=rooms, roles_of_rooms=st.lists(some_roles, min_size=1, max_size=2 * PAGE_SIZE))
    def begin_with_some_rooms(self, roles_of_rooms: list[Roles]) -> MultipleResults[str]:
        for roles in roles_of_rooms:
            room = self.client.create_room(participants=participants_of(roles))
            self.room[room.id], self.roles[room.id] = room, dict(roles)
        return multiple(*self.room)

    @rule(target=rooms, faults=recoverable_faults, begin=beginnings, end=endings, flag=flags, roles=some_roles)
    def create_room(
        self, faults: list[Fault], begin: int | None, end: int | None, flag: bool | None, roles: Roles
    ) -> str | MultipleResults[str]:
        self.inject(faults)
        arguments = arguments_of(begin, end, flag)
        if not is_accepted(begin, end):
            with pytest.raises(HttpResponseError, match="The time range|180 days"):
                self.client.create_room(participants=participants_of(roles), **arguments)
            return multiple()
        room = self.client.create_room(participants=participants_of(roles), **arguments)
        assert room.id not in self.room
        default = room.created_at - timedelta(milliseconds=100)
        assert room.valid_from == (day(begin) or default)
        assert room.valid_until == (day(end) or default + timedelta(days=180))
        assert room.pstn_dial_out_enabled is bool(flag)
        self.room[room.id], self.roles[room.id] = room, dict(roles)
        return room.id

    @rule(room_id=rooms, faults=recoverable_faults)
    def get_room(self, room_id: str, faults: list[Fault]) -> None:
        self.inject(faults)
        assert self.client.get_room(room_id) == self.room[room_id]

    @rule(room_id=rooms, faults=recoverable_faults, begin=beginnings, end=endings, flag=flags)
    def update_room(
        self, room_id: str, faults: list[Fault], begin: int | None, end: int | None, flag: bool | None
    ) -> None:
        self.inject(faults)
        arguments = arguments_of(begin, end, flag)
        if (begin is None) != (end is None) or not is_accepted(begin, end):
            with pytest.raises(HttpResponseError, match="The time range|180 days|should be set together"):
                self.client.update_room(room_id, **arguments)
            return
        changes = {name: value for name, value in arguments.items() if value is not None}
        self.room[room_id] = replace(self.room[room_id], **changes)
        assert self.client.update_room(room_id, **arguments) == self.room[room_id]

    @rule(room_id=rooms, faults=recoverable_faults, roles=some_roles)
    def add_or_update_participants(self, room_id: str, faults: list[Fault], roles: Roles) -> None:
        self.inject(faults)
        self.client.add_or_update_participants(room_id, participants_of(roles))
        self.roles[room_id] |= roles

    @rule(room_id=rooms, faults=recoverable_faults, removed=st.sets(users, max_size=3))
    def remove_participants(self, room_id: str, faults: list[Fault], removed: set[CommunicationUserIdentifier]) -> None:
        self.inject(faults)
        self.client.remove_participants(room_id, removed)
        for user in removed:
            self.roles[room_id].pop(user, None)

    @precondition(lambda self: len(self.room) > PAGE_SIZE)
    @rule(faults=recoverable_faults)
    def list_rooms_with_faults_after_the_first_page(self, faults: list[Fault]) -> None:
        pages = self.client.list_rooms().by_page()
        found = list(next(pages))
        self.inject(faults)
        found += [room for page in pages for room in page]
        assert found == list(reversed(self.room.values()))

    @rule(room_id=rooms, faults=recoverable_faults)
    def list_participants(self, room_id: str, faults: list[Fault]) -> None:
        self.inject(faults)
        assert list(self.client.list_participants(room_id)) == participants_of(self.roles[room_id])

    @rule(target=deleted_rooms, room_id=consumes(rooms), faults=recoverable_faults_of_delete)
    def delete_room(self, room_id: str, faults: list[Fault]) -> str:
        self.inject(faults)
        self.client.delete_room(room_id)
        del self.room[room_id], self.roles[room_id]
        return room_id

    @rule(room_id=deleted_rooms, operation=st.sampled_from(sorted(ROOM_OPERATIONS.keys() - {"delete_room"})))
    def use_deleted_room(self, room_id: str, operation: str) -> None:
        with pytest.raises(ResourceNotFoundError):
            ROOM_OPERATIONS[operation].call(self.client, room_id)

    @rule(faults=recoverable_faults_of_delete)
    def delete_unknown_room(self, faults: list[Fault]) -> None:
        self.inject(faults)
        with pytest.raises(ResourceNotFoundError):
            self.client.delete_room(NO_ROOM)

    @rule(room_id=rooms, faults=fatal_faults, operation=st.sampled_from(sorted(OPERATIONS)))
    def foreign_response_changes_nothing(self, room_id: str, faults: list[Fault], operation: str) -> None:
        self.inject(faults)
        with pytest.raises(HttpResponseError) as caught:
            OPERATIONS[operation].call(self.client, room_id)
        assert caught.value.status_code == 200


def test_client_and_emulator_match_the_model(emulator: RoomsEmulator, client: RoomsClient) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string, retry_total=0) as observer:
        Rooms.emulator, Rooms.client, Rooms.observer = emulator, client, observer
        machine_settings = settings(deadline=None, derandomize=True, max_examples=8, stateful_step_count=20)
        run_state_machine_as_test(Rooms, settings=machine_settings)
