"""Communication identifiers: the people, phone numbers and apps that can be in a room, and their raw IDs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal, Protocol, runtime_checkable

from azure.core import CaseInsensitiveEnumMeta
from typing_extensions import TypedDict

from ._pydantic import Model


class CommunicationIdentifierKind(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """What a :class:`CommunicationIdentifier` stands for."""

    UNKNOWN = "unknown"
    COMMUNICATION_USER = "communication_user"
    PHONE_NUMBER = "phone_number"
    MICROSOFT_TEAMS_USER = "microsoft_teams_user"
    MICROSOFT_TEAMS_APP = "microsoft_teams_app"


class CommunicationCloudEnvironment(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The cloud that a Microsoft Teams user or app belongs to."""

    PUBLIC = "PUBLIC"
    DOD = "DOD"
    GCCH = "GCCH"


@runtime_checkable
class CommunicationIdentifier(Protocol):
    """Anything that identifies a participant: an object with these attributes. The client reads only ``raw_id``."""

    @property
    def raw_id(self) -> str:
        """The identifier as the service writes it, such as ``8:acs:...`` or ``4:+14255550123``."""
        ...

    @property
    def kind(self) -> str:
        """What the identifier stands for: a :class:`CommunicationIdentifierKind`."""
        ...

    @property
    def properties(self) -> Mapping[str, object]:
        """The parts of the identifier, by name."""
        ...


# The identifiers are dataclasses, so dataclasses.asdict() and web frameworks can convert them.
@dataclass(frozen=True, init=False, eq=False, repr=False)
class _Identifier(Model):
    """The base class of all identifiers. Two identifiers are equal if their raw IDs are equal."""

    _json_schema: ClassVar = {"type": "string"}
    _to_json = str

    raw_id: str
    """The identifier as the service writes it. ``str(identifier)`` returns it too."""

    def __init__(self, raw_id: object, **properties: object) -> None:
        for name, value in {**properties, "raw_id": raw_id}.items():
            if name != "is_anonymous" and not isinstance(value, str):
                raise TypeError(f"{name} must be a str, not {type(value).__name__}")
        self.__dict__.update(raw_id=raw_id, properties=properties)  # a frozen dataclass forbids setattr

    @classmethod
    def _from_json(cls, value: object) -> object:
        if isinstance(value, str):
            identifier = cls(value) if cls is UnknownIdentifier else identifier_from_raw_id(value)
            if isinstance(identifier, cls):
                return identifier
        raise ValueError(f"{value!r} is not the raw ID of a {cls.__name__}")

    def __str__(self) -> str:
        return self.raw_id

    def __eq__(self, other: object) -> bool:
        other_raw_id = getattr(other, "raw_id", None)
        if not isinstance(other_raw_id, str):
            return NotImplemented
        return self.raw_id == other_raw_id

    def __hash__(self) -> int:
        return hash(self.raw_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw_id={self.raw_id!r})"


class CommunicationUserProperties(TypedDict):
    """The properties of a :class:`CommunicationUserIdentifier`."""

    id: str
    """The whole raw ID of the user."""


@dataclass(frozen=True, init=False, eq=False, repr=False)
class CommunicationUserIdentifier(_Identifier):
    """A user of an Azure Communication Services resource.

    :param str id: The user's ID, such as ``8:acs:<resource>_<user>``.
    :keyword str raw_id: The raw ID, if it differs from ``id``. Default: ``id``.
    """

    properties: CommunicationUserProperties
    kind: Literal[CommunicationIdentifierKind.COMMUNICATION_USER] = CommunicationIdentifierKind.COMMUNICATION_USER

    def __init__(self, id: str, *, raw_id: str | None = None) -> None:  # noqa: A002 - its name in the released package
        super().__init__(id if raw_id is None else raw_id, id=id)


class PhoneNumberProperties(TypedDict):
    """The properties of a :class:`PhoneNumberIdentifier`."""

    value: str
    """The phone number in E.164 form, such as ``+14255550123``."""


@dataclass(frozen=True, init=False, eq=False, repr=False)
class PhoneNumberIdentifier(_Identifier):
    """A phone number.

    :param str value: The number in E.164 form, such as ``+14255550123``.
    :keyword str raw_id: The raw ID. Default: ``4:`` followed by the number.
    """

    properties: PhoneNumberProperties
    kind: Literal[CommunicationIdentifierKind.PHONE_NUMBER] = CommunicationIdentifierKind.PHONE_NUMBER

    def __init__(self, value: str, *, raw_id: str | None = None) -> None:
        super().__init__(f"4:{value}" if raw_id is None else raw_id, value=value)


class MicrosoftTeamsUserProperties(TypedDict):
    """The properties of a :class:`MicrosoftTeamsUserIdentifier`."""

    user_id: str
    """The user's Microsoft Entra object ID, or the visitor's ID if the user is anonymous."""
    is_anonymous: bool
    """Whether the user joined without signing in."""
    cloud: CommunicationCloudEnvironment
    """The cloud that the user belongs to."""


_CLOUDS = {
    "orgid": CommunicationCloudEnvironment.PUBLIC,
    "dod": CommunicationCloudEnvironment.DOD,
    "gcch": CommunicationCloudEnvironment.GCCH,
}
_CLOUD_NAMES = {cloud: name for name, cloud in _CLOUDS.items()}


@dataclass(frozen=True, init=False, eq=False, repr=False)
class MicrosoftTeamsUserIdentifier(_Identifier):
    """A Microsoft Teams user.

    :param str user_id: The user's Microsoft Entra object ID, or the visitor's ID if the user is anonymous.
    :keyword bool is_anonymous: Whether the user joined without signing in. Default: False.
    :keyword cloud: The cloud that the user belongs to. Default: PUBLIC.
    :paramtype cloud: str or ~azure.communication.rooms.CommunicationCloudEnvironment
    :keyword str raw_id: The raw ID. Default: derived from the other arguments.
    :raises ValueError: ``cloud`` is not a known cloud.
    """

    properties: MicrosoftTeamsUserProperties
    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_USER] = CommunicationIdentifierKind.MICROSOFT_TEAMS_USER

    def __init__(
        self,
        user_id: str,
        *,
        is_anonymous: bool = False,
        cloud: str | CommunicationCloudEnvironment = CommunicationCloudEnvironment.PUBLIC,
        raw_id: str | None = None,
    ) -> None:
        cloud = CommunicationCloudEnvironment(cloud)
        raw_id = f"8:{'teamsvisitor' if is_anonymous else _CLOUD_NAMES[cloud]}:{user_id}" if raw_id is None else raw_id
        super().__init__(raw_id, user_id=user_id, is_anonymous=is_anonymous, cloud=cloud)


class MicrosoftTeamsAppProperties(TypedDict):
    """The properties of a :class:`MicrosoftTeamsAppIdentifier`."""

    app_id: str
    """The app's Microsoft Entra object ID."""
    cloud: CommunicationCloudEnvironment
    """The cloud that the app belongs to."""


@dataclass(frozen=True, init=False, eq=False, repr=False)
class MicrosoftTeamsAppIdentifier(_Identifier):
    """A Microsoft Teams app, such as a call queue or a bot.

    :param str app_id: The app's Microsoft Entra object ID.
    :keyword cloud: The cloud that the app belongs to. Default: PUBLIC.
    :paramtype cloud: str or ~azure.communication.rooms.CommunicationCloudEnvironment
    :keyword str raw_id: The raw ID. Default: derived from the other arguments.
    :raises ValueError: ``cloud`` is not a known cloud.
    """

    properties: MicrosoftTeamsAppProperties
    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_APP] = CommunicationIdentifierKind.MICROSOFT_TEAMS_APP

    def __init__(
        self,
        app_id: str,
        *,
        cloud: str | CommunicationCloudEnvironment = CommunicationCloudEnvironment.PUBLIC,
        raw_id: str | None = None,
    ) -> None:
        cloud = CommunicationCloudEnvironment(cloud)
        raw_id = f"28:{_CLOUD_NAMES[cloud]}:{app_id}" if raw_id is None else raw_id
        super().__init__(raw_id, app_id=app_id, cloud=cloud)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class UnknownIdentifier(_Identifier):
    """An identifier of a kind that this package does not know. It keeps the raw ID as it is.

    :param str identifier: The raw ID.
    """

    properties: Mapping[str, object]
    kind: Literal[CommunicationIdentifierKind.UNKNOWN] = CommunicationIdentifierKind.UNKNOWN

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)


def identifier_from_raw_id(raw_id: str) -> CommunicationIdentifier:
    """Convert a raw ID to an identifier.

    .. code-block:: python

        from azure.communication.rooms import PhoneNumberIdentifier, identifier_from_raw_id

        assert identifier_from_raw_id("4:+14255550123") == PhoneNumberIdentifier("+14255550123")

    :param str raw_id: A raw ID as the service writes it, such as ``8:acs:...`` or ``4:+14255550123``.
    :return: An identifier with this ``raw_id``. The prefix determines its class, which is :class:`UnknownIdentifier`
     if the prefix is unknown.
    :rtype: ~azure.communication.rooms.CommunicationIdentifier
    :raises TypeError: ``raw_id`` is not a str.
    """
    if not isinstance(raw_id, str):
        raise TypeError(f"raw_id must be a str, not {type(raw_id).__name__}")
    if raw_id.startswith("4:"):
        return PhoneNumberIdentifier(raw_id.removeprefix("4:"))
    match raw_id.split(":", 2):
        case ["8", "acs" | "dod-acs" | "gcch-acs" | "spool", _]:
            return CommunicationUserIdentifier(raw_id)
        case ["8", "teamsvisitor", user_id]:
            return MicrosoftTeamsUserIdentifier(user_id, is_anonymous=True)
        case ["8", name, user_id] if name in _CLOUDS:
            return MicrosoftTeamsUserIdentifier(user_id, cloud=_CLOUDS[name])
        case ["28", name, app_id] if name in _CLOUDS:
            return MicrosoftTeamsAppIdentifier(app_id, cloud=_CLOUDS[name])
    return UnknownIdentifier(raw_id)
