"""The versions of the REST API."""

from enum import Enum

from azure.core import CaseInsensitiveEnumMeta


class ApiVersion(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The stable versions of the Rooms REST API that this package knows. You can pass any other as a string."""

    V2023_06_14 = "2023-06-14"
    """The first version."""
    V2024_04_15 = "2024-04-15"
    """Adds ``pstn_dial_out_enabled``."""
    V2025_03_13 = "2025-03-13"
    """The first version that documents the role :attr:`ParticipantRole.COLLABORATOR`. The default."""


DEFAULT_API_VERSION = ApiVersion.V2025_03_13
