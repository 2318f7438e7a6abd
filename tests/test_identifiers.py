"""Identifiers of participants and their raw IDs."""

import importlib
from typing import Any

import pytest

from azure.communication import identity
from azure.communication.rooms import (
    CommunicationCloudEnvironment,
    CommunicationIdentifier,
    CommunicationIdentifierKind,
    CommunicationUserIdentifier,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsAppProperties,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    UnknownIdentifier,
    identifier_from_raw_id,
)

from .support.operations import USERS

rooms = importlib.import_module("azure.communication.rooms")
PUBLIC, DOD, GCCH = CommunicationCloudEnvironment
USER = USERS[0].raw_id
RAW_IDS: list[tuple[str, type, dict[str, object]]] = [
    (USER, CommunicationUserIdentifier, {"id": USER}),
    ("8:dod-acs:r_u", CommunicationUserIdentifier, {"id": "8:dod-acs:r_u"}),
    ("8:gcch-acs:r_u", CommunicationUserIdentifier, {"id": "8:gcch-acs:r_u"}),
    ("8:spool:r_u", CommunicationUserIdentifier, {"id": "8:spool:r_u"}),
    ("8:orgid:o", MicrosoftTeamsUserIdentifier, {"user_id": "o", "is_anonymous": False, "cloud": PUBLIC}),
    ("8:dod:o", MicrosoftTeamsUserIdentifier, {"user_id": "o", "is_anonymous": False, "cloud": DOD}),
    ("8:gcch:o", MicrosoftTeamsUserIdentifier, {"user_id": "o", "is_anonymous": False, "cloud": GCCH}),
    ("8:teamsvisitor:v", MicrosoftTeamsUserIdentifier, {"user_id": "v", "is_anonymous": True, "cloud": PUBLIC}),
    ("28:orgid:a", MicrosoftTeamsAppIdentifier, {"app_id": "a", "cloud": PUBLIC}),
    ("28:dod:a", MicrosoftTeamsAppIdentifier, {"app_id": "a", "cloud": DOD}),
    ("28:gcch:a", MicrosoftTeamsAppIdentifier, {"app_id": "a", "cloud": GCCH}),
    ("4:+14255550123", PhoneNumberIdentifier, {"value": "+14255550123"}),
    ("28:a", UnknownIdentifier, {}),
    ("48:echo", UnknownIdentifier, {}),
]
KINDS = {
    CommunicationUserIdentifier: CommunicationIdentifierKind.COMMUNICATION_USER,
    MicrosoftTeamsUserIdentifier: CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
    MicrosoftTeamsAppIdentifier: CommunicationIdentifierKind.MICROSOFT_TEAMS_APP,
    PhoneNumberIdentifier: CommunicationIdentifierKind.PHONE_NUMBER,
    UnknownIdentifier: CommunicationIdentifierKind.UNKNOWN,
}


@pytest.mark.parametrize(("raw_id", "kind", "properties"), RAW_IDS)
def test_raw_ids_and_properties(raw_id: str, kind: Any, properties: dict[str, object]) -> None:
    assert (kind(**properties) if properties else kind(raw_id)).raw_id == raw_id
    identifier = identifier_from_raw_id(raw_id)
    assert type(identifier) is kind
    assert identifier.kind is KINDS[kind]
    assert identifier.properties == properties
    assert identifier.raw_id == str(identifier) == f"{identifier}" == raw_id


@pytest.mark.parametrize(("raw_id", "kind", "properties"), RAW_IDS)
def test_same_as_the_identity_package(raw_id: str, kind: type, properties: dict[str, object]) -> None:
    theirs = identity.identifier_from_raw_id(raw_id)
    assert (type(theirs).__name__, theirs.kind.value, theirs.raw_id) == (kind.__name__, KINDS[kind].value, raw_id)
    assert {name: theirs.properties[name] for name in properties} == properties
    assert identifier_from_raw_id(raw_id) == theirs


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not UnknownIdentifier])
def test_raw_id_replaces_the_derived_one(kind: Any) -> None:
    assert kind("a", raw_id="x").raw_id == "x"


def test_cloud_as_a_string() -> None:
    assert MicrosoftTeamsUserIdentifier("o", cloud="GCCH").raw_id == "8:gcch:o"
    with pytest.raises(ValueError, match="MOON"):
        MicrosoftTeamsAppIdentifier("a", cloud="MOON")


@pytest.mark.parametrize("create", [*KINDS, identifier_from_raw_id])
def test_identifier_takes_only_a_str(create: Any) -> None:
    for value in (1, None):
        with pytest.raises(TypeError, match=f"must be a str, not {type(value).__name__}"):
            create(value)


def test_equality_depends_on_the_raw_id() -> None:
    user = CommunicationUserIdentifier(USER)
    assert {user, UnknownIdentifier(USER), identifier_from_raw_id(USER)} == {user}
    assert user != USERS[1]
    assert user != USER
    assert repr(user) == f"CommunicationUserIdentifier(raw_id='{USER}')"


@pytest.mark.parametrize("name", ["raw_id", "kind", "properties"])
def test_identifier_is_immutable(name: str) -> None:
    identifier: CommunicationIdentifier = PhoneNumberIdentifier("+14255550123")
    with pytest.raises(AttributeError):
        setattr(identifier, name, "x")
    assert identifier == PhoneNumberIdentifier("+14255550123")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MicrosoftBotIdentifier", MicrosoftTeamsAppIdentifier),
        ("MicrosoftBotProperties", MicrosoftTeamsAppProperties),
    ],
)
def test_deprecated_name_warns(old: str, new: type) -> None:
    with pytest.warns(DeprecationWarning, match=f"{old} is deprecated, use {new.__name__}") as caught:
        assert getattr(rooms, old) is new
    assert caught[0].filename == __file__
