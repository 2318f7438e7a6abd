"""Identifiers of participants and their raw IDs."""

import copy
import importlib
import pickle
import warnings

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

rooms = importlib.import_module("azure.communication.rooms")
PUBLIC, DOD, GCCH = CommunicationCloudEnvironment
RAW_IDS: list[tuple[str, type, dict[str, object]]] = [
    ("8:acs:r_u", CommunicationUserIdentifier, {"id": "8:acs:r_u"}),
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
    ("", UnknownIdentifier, {}),
]
KINDS = {
    CommunicationUserIdentifier: CommunicationIdentifierKind.COMMUNICATION_USER,
    MicrosoftTeamsUserIdentifier: CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
    MicrosoftTeamsAppIdentifier: CommunicationIdentifierKind.MICROSOFT_TEAMS_APP,
    PhoneNumberIdentifier: CommunicationIdentifierKind.PHONE_NUMBER,
    UnknownIdentifier: CommunicationIdentifierKind.UNKNOWN,
}


@pytest.mark.parametrize(("raw_id", "kind", "properties"), RAW_IDS)
def test_identifier_from_raw_id(raw_id: str, kind: type, properties: dict[str, object]) -> None:
    identifier = identifier_from_raw_id(raw_id)
    assert type(identifier) is kind
    assert identifier.kind is KINDS[kind]
    assert identifier.properties == properties
    assert identifier.raw_id == raw_id


@pytest.mark.parametrize(("raw_id", "kind", "properties"), [row for row in RAW_IDS if row[0]])
def test_same_as_the_identity_package(raw_id: str, kind: type, properties: dict[str, object]) -> None:
    theirs = identity.identifier_from_raw_id(raw_id)
    assert type(theirs).__name__ == kind.__name__
    assert theirs.kind.value == KINDS[kind].value
    ours = identifier_from_raw_id(raw_id)
    assert theirs.raw_id == ours.raw_id
    for name, value in properties.items():
        assert theirs.properties[name] == value
    assert ours == theirs


@pytest.mark.parametrize(("raw_id", "kind", "properties"), RAW_IDS)
def test_identifier_from_properties(raw_id: str, kind: type, properties: dict[str, object]) -> None:
    assert (kind(**properties) if properties else kind(raw_id)).raw_id == raw_id


@pytest.mark.parametrize(
    "identifier",
    [
        CommunicationUserIdentifier("8:acs:r_u", raw_id="x"),
        PhoneNumberIdentifier("+14255550123", raw_id="x"),
        MicrosoftTeamsUserIdentifier("o", raw_id="x"),
        MicrosoftTeamsAppIdentifier("a", raw_id="x"),
    ],
)
def test_raw_id_takes_precedence(identifier: CommunicationIdentifier) -> None:
    assert identifier.raw_id == "x"


def test_cloud_as_a_string() -> None:
    assert MicrosoftTeamsUserIdentifier("o", cloud="GCCH").raw_id == "8:gcch:o"
    with pytest.raises(ValueError, match="MOON"):
        MicrosoftTeamsAppIdentifier("a", cloud="MOON")


@pytest.mark.parametrize("kind", list(KINDS))
def test_identifier_takes_only_a_str(kind: type) -> None:
    with pytest.raises(TypeError, match="must be a str, not int"):
        kind(1)


def test_raw_id_must_be_a_str() -> None:
    with pytest.raises(TypeError, match="raw_id must be a str, not NoneType"):
        identifier_from_raw_id(None)  # type: ignore[arg-type]


def test_identifier_equality() -> None:
    user = CommunicationUserIdentifier("8:acs:r_u")
    assert user == UnknownIdentifier("8:acs:r_u")
    assert hash(user) == hash(UnknownIdentifier("8:acs:r_u"))
    assert user != CommunicationUserIdentifier("8:acs:r_v")
    assert user != "8:acs:r_u"


def test_identifier_repr() -> None:
    assert repr(PhoneNumberIdentifier("+1425")) == "PhoneNumberIdentifier(raw_id='4:+1425')"


def test_identifier_copies() -> None:
    user = MicrosoftTeamsUserIdentifier("o", cloud=DOD)
    for other in (copy.copy(user), copy.deepcopy(user), pickle.loads(pickle.dumps(user))):
        assert other == user
        assert other.properties == user.properties


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


def test_unknown_name() -> None:
    with warnings.catch_warnings(), pytest.raises(AttributeError, match="NoSuchName"):
        _ = rooms.NoSuchName
