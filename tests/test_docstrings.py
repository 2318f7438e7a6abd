"""Each example in a public docstring runs on its own against the emulator."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from azure.communication import rooms
from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import OPERATIONS


def docstrings() -> Iterator[tuple[str, str]]:
    for name in rooms.__all__:
        public = getattr(rooms, name)
        if inspect.isclass(public) or inspect.isfunction(public):
            yield name, inspect.getdoc(public) or ""
            for member, value in vars(public).items():
                if not member.startswith("_") and getattr(value, "__doc__", None):
                    yield f"{name}.{member}", inspect.getdoc(getattr(public, member)) or ""


def examples(docstring: str) -> list[str]:
    blocks = re.findall(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", f"{docstring}\n", re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks]


EXAMPLES = {
    f"{name} {number}": example
    for name, docstring in docstrings()
    for number, example in enumerate(examples(docstring), 1)
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_example_runs(client: RoomsClient, emulator: RoomsEmulator, example: str) -> None:
    user = emulator.create_user()
    namespace: dict[str, Any] = {
        "client": client,
        "connection_string": emulator.connection_string,
        "room_id": client.create_room(participants=[RoomParticipant(user)]).id,
        "user_id": user.raw_id,
    }
    exec(compile(example, "docstring", "exec"), namespace)


def test_what_has_an_example() -> None:
    methods = {f"RoomsClient.{name} 1" for name in (*OPERATIONS, "send_request", "from_connection_string")}
    models = {f"{name} 1" for name in ("RoomsClient", "CommunicationRoom", "RoomParticipant", "identifier_from_raw_id")}
    assert methods | models | {"ClientOptions 1", "RequestOptions 1"} <= EXAMPLES.keys()


def test_everything_public_has_a_docstring() -> None:
    assert [name for name, docstring in docstrings() if not docstring] == []


@pytest.mark.parametrize("method", [*OPERATIONS, "send_request", "close"])
def test_docstring_names_every_parameter(method: str) -> None:
    function = getattr(RoomsClient, method)
    parameters = set(inspect.signature(function).parameters) - {"self", "kwargs"}
    fields = re.findall(r"^:(?:param|keyword) ([^:]*):", inspect.getdoc(function) or "", re.MULTILINE)
    assert {field.split()[-1] for field in fields} == parameters
