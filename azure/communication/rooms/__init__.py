"""A client of the Rooms service of Azure Communication Services."""

import warnings as _warnings

from ._client import RoomsClient
from ._identifiers import (
    CommunicationCloudEnvironment,
    CommunicationIdentifier,
    CommunicationIdentifierKind,
    CommunicationUserIdentifier,
    CommunicationUserProperties,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsAppProperties,
    MicrosoftTeamsUserIdentifier,
    MicrosoftTeamsUserProperties,
    PhoneNumberIdentifier,
    PhoneNumberProperties,
    UnknownIdentifier,
    identifier_from_raw_id,
)
from ._models import ApiVersion, CommunicationRoom, ParticipantLike, ParticipantRole, RoomParticipant
from ._options import ClientOptions, CommonOptions, RequestOptions
from ._version import VERSION as __version__  # noqa: N811 - both names are constants

Room = CommunicationRoom

__all__ = [
    "ApiVersion", "ClientOptions", "CommonOptions", "CommunicationCloudEnvironment", "CommunicationIdentifier",
    "CommunicationIdentifierKind", "CommunicationRoom", "CommunicationUserIdentifier", "CommunicationUserProperties",
    "MicrosoftTeamsAppIdentifier", "MicrosoftTeamsAppProperties", "MicrosoftTeamsUserIdentifier",
    "MicrosoftTeamsUserProperties", "ParticipantLike", "ParticipantRole", "PhoneNumberIdentifier",
    "PhoneNumberProperties", "RequestOptions", "Room", "RoomParticipant", "RoomsClient", "UnknownIdentifier",
    "__version__", "identifier_from_raw_id",
]  # fmt: skip

_OLD = {"MicrosoftBotIdentifier": MicrosoftTeamsAppIdentifier, "MicrosoftBotProperties": MicrosoftTeamsAppProperties}


def __getattr__(name: str) -> type:
    if name not in _OLD:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _warnings.warn(f"{name} is deprecated, use {_OLD[name].__name__}", DeprecationWarning, stacklevel=2)
    return _OLD[name]
