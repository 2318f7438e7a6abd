"""Communication identifiers: the people, phone numbers and apps that can be in a room, and their raw IDs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol, TypedDict

from azure.core import CaseInsensitiveEnumMeta


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


class CommunicationIdentifier(Protocol):
    """Anything that identifies a participant.

    The identifiers of this package and of ``azure-communication-identity`` satisfy this protocol, and so does any
    object with these three attributes. The client reads only ``raw_id``.
    """

    @property
    def raw_id(self) -> str:
        """The identifier as the service writes it, such as ``8:acs:...`` or ``4:+14255550123``.

        :rtype: str
        """
        ...

    @property
    def kind(self) -> str:
        """What the identifier stands for: a :class:`CommunicationIdentifierKind`.

        :rtype: str
        """
        ...

    @property
    def properties(self) -> Mapping[str, object]:
        """The parts of the identifier, by name.

        :rtype: Mapping[str, object]
        """
        ...


# The identifiers are dataclasses, so dataclasses.asdict() and web frameworks can convert them.
@dataclass(init=False, eq=False, repr=False)
class _Identifier:
    """The base class of all identifiers. Two identifiers are equal if their raw IDs are equal."""

    raw_id: str
    """The identifier as the service writes it."""

    def __eq__(self, other: object) -> bool:
        other_raw_id = getattr(other, "raw_id", None)
        if not isinstance(other_raw_id, str):
            return NotImplemented
        return self.raw_id == other_raw_id

    def __hash__(self) -> int:
        return hash(self.raw_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw_id={self.raw_id!r})"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    return value


class CommunicationUserProperties(TypedDict):
    """The properties of a :class:`CommunicationUserIdentifier`."""

    id: str
    """The whole raw ID of the user."""


@dataclass(init=False, eq=False, repr=False)
class CommunicationUserIdentifier(_Identifier):
    """A user of an Azure Communication Services resource.

    :param str id: The user's ID, such as ``8:acs:<resource>_<user>``.
    :keyword str raw_id: The raw ID, if it differs from ``id``. Default: ``id``.
    :raises TypeError: ``id`` or ``raw_id`` is not a str.
    """

    properties: CommunicationUserProperties
    """The parts of the identifier, by name."""
    kind: Literal[CommunicationIdentifierKind.COMMUNICATION_USER] = CommunicationIdentifierKind.COMMUNICATION_USER
    """What the identifier stands for."""

    def __init__(self, id: str, *, raw_id: str | None = None) -> None:  # noqa: A002 - its name in the released package
        self.properties = {"id": _text("id", id)}
        self.raw_id: str = id if raw_id is None else _text("raw_id", raw_id)


class PhoneNumberProperties(TypedDict):
    """The properties of a :class:`PhoneNumberIdentifier`."""

    value: str
    """The phone number in E.164 form, such as ``+14255550123``."""


@dataclass(init=False, eq=False, repr=False)
class PhoneNumberIdentifier(_Identifier):
    """A phone number.

    :param str value: The number in E.164 form, such as ``+14255550123``.
    :keyword str raw_id: The raw ID. Default: ``4:`` followed by the number.
    :raises TypeError: ``value`` or ``raw_id`` is not a str.
    """

    properties: PhoneNumberProperties
    """The parts of the identifier, by name."""
    kind: Literal[CommunicationIdentifierKind.PHONE_NUMBER] = CommunicationIdentifierKind.PHONE_NUMBER
    """What the identifier stands for."""

    def __init__(self, value: str, *, raw_id: str | None = None) -> None:
        self.properties = {"value": _text("value", value)}
        self.raw_id: str = f"4:{value}" if raw_id is None else _text("raw_id", raw_id)


class MicrosoftTeamsUserProperties(TypedDict):
    """The properties of a :class:`MicrosoftTeamsUserIdentifier`."""

    user_id: str
    """The user's Microsoft Entra object ID, or the visitor's ID if the user is anonymous."""
    is_anonymous: bool
    """Whether the user joined without signing in."""
    cloud: CommunicationCloudEnvironment
    """The cloud that the user belongs to."""


_TEAMS_USER_PREFIXES = {
    CommunicationCloudEnvironment.PUBLIC: "8:orgid:",
    CommunicationCloudEnvironment.DOD: "8:dod:",
    CommunicationCloudEnvironment.GCCH: "8:gcch:",
}
_TEAMS_VISITOR_PREFIX = "8:teamsvisitor:"


@dataclass(init=False, eq=False, repr=False)
class MicrosoftTeamsUserIdentifier(_Identifier):
    """A Microsoft Teams user.

    :param str user_id: The user's Microsoft Entra object ID, or the visitor's ID if the user is anonymous.
    :keyword bool is_anonymous: Whether the user joined without signing in. Default: False.
    :keyword cloud: The cloud that the user belongs to. Default: PUBLIC.
    :paramtype cloud: str or ~azure.communication.rooms.CommunicationCloudEnvironment
    :keyword str raw_id: The raw ID. Default: derived from the other arguments.
    :raises TypeError: ``user_id`` or ``raw_id`` is not a str.
    :raises ValueError: ``cloud`` is not a known cloud.
    """

    properties: MicrosoftTeamsUserProperties
    """The parts of the identifier, by name."""
    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_USER] = CommunicationIdentifierKind.MICROSOFT_TEAMS_USER
    """What the identifier stands for."""

    def __init__(
        self,
        user_id: str,
        *,
        is_anonymous: bool = False,
        cloud: str | CommunicationCloudEnvironment = CommunicationCloudEnvironment.PUBLIC,
        raw_id: str | None = None,
    ) -> None:
        self.properties = {
            "user_id": _text("user_id", user_id),
            "is_anonymous": is_anonymous,
            "cloud": CommunicationCloudEnvironment(cloud),
        }
        prefix = _TEAMS_VISITOR_PREFIX if is_anonymous else _TEAMS_USER_PREFIXES[self.properties["cloud"]]
        self.raw_id: str = prefix + user_id if raw_id is None else _text("raw_id", raw_id)


class MicrosoftTeamsAppProperties(TypedDict):
    """The properties of a :class:`MicrosoftTeamsAppIdentifier`."""

    app_id: str
    """The app's Microsoft Entra object ID."""
    cloud: CommunicationCloudEnvironment
    """The cloud that the app belongs to."""


_TEAMS_APP_PREFIXES = {
    CommunicationCloudEnvironment.PUBLIC: "28:orgid:",
    CommunicationCloudEnvironment.DOD: "28:dod:",
    CommunicationCloudEnvironment.GCCH: "28:gcch:",
}


@dataclass(init=False, eq=False, repr=False)
class MicrosoftTeamsAppIdentifier(_Identifier):
    """A Microsoft Teams app, such as a call queue or a bot.

    :param str app_id: The app's Microsoft Entra object ID.
    :keyword cloud: The cloud that the app belongs to. Default: PUBLIC.
    :paramtype cloud: str or ~azure.communication.rooms.CommunicationCloudEnvironment
    :keyword str raw_id: The raw ID. Default: derived from the other arguments.
    :raises TypeError: ``app_id`` or ``raw_id`` is not a str.
    :raises ValueError: ``cloud`` is not a known cloud.
    """

    properties: MicrosoftTeamsAppProperties
    """The parts of the identifier, by name."""
    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_APP] = CommunicationIdentifierKind.MICROSOFT_TEAMS_APP
    """What the identifier stands for."""

    def __init__(
        self,
        app_id: str,
        *,
        cloud: str | CommunicationCloudEnvironment = CommunicationCloudEnvironment.PUBLIC,
        raw_id: str | None = None,
    ) -> None:
        self.properties = {"app_id": _text("app_id", app_id), "cloud": CommunicationCloudEnvironment(cloud)}
        self.raw_id: str = (
            _TEAMS_APP_PREFIXES[self.properties["cloud"]] + app_id if raw_id is None else _text("raw_id", raw_id)
        )


@dataclass(init=False, eq=False, repr=False)
class UnknownIdentifier(_Identifier):
    """An identifier of a kind that this package does not know. It keeps the raw ID as it is.

    :param str identifier: The raw ID.
    :raises TypeError: ``identifier`` is not a str.
    """

    properties: Mapping[str, object]
    """The parts of the identifier, by name."""
    kind: Literal[CommunicationIdentifierKind.UNKNOWN] = CommunicationIdentifierKind.UNKNOWN
    """What the identifier stands for."""

    def __init__(self, identifier: str) -> None:
        self.properties = {}
        self.raw_id: str = _text("identifier", identifier)


_USER_PREFIXES = ("8:acs:", "8:dod-acs:", "8:gcch-acs:", "8:spool:")


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
    if _text("raw_id", raw_id).startswith(_USER_PREFIXES):
        return CommunicationUserIdentifier(raw_id)
    if raw_id.startswith("4:"):
        return PhoneNumberIdentifier(raw_id[len("4:") :])
    if raw_id.startswith(_TEAMS_VISITOR_PREFIX):
        return MicrosoftTeamsUserIdentifier(raw_id[len(_TEAMS_VISITOR_PREFIX) :], is_anonymous=True)
    for cloud, prefix in _TEAMS_USER_PREFIXES.items():
        if raw_id.startswith(prefix):
            return MicrosoftTeamsUserIdentifier(raw_id[len(prefix) :], cloud=cloud)
    for cloud, prefix in _TEAMS_APP_PREFIXES.items():
        if raw_id.startswith(prefix):
            return MicrosoftTeamsAppIdentifier(raw_id[len(prefix) :], cloud=cloud)
    return UnknownIdentifier(raw_id)
