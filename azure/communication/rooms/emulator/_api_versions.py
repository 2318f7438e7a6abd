"""The API versions of the Rooms service, and what each one added."""

# For each API version, oldest first: the boolean room members that it introduced, and the attribute of Room that holds
# each one. Later versions keep the members. To add a version, add a row. For a new member, also add the attribute to
# Room.
_NEW_MEMBERS: dict[str, dict[str, str]] = {
    "2023-06-14": {},
    "2023-10-30-preview": {"pstnDialOutEnabled": "pstn_dial_out_enabled"},
    "2024-04-15": {},
    "2025-03-13": {},
}
API_VERSIONS = tuple(_NEW_MEMBERS)


def boolean_members(api_version: str) -> dict[str, str]:
    """Map each boolean member of rooms in this API version to its attribute of Room."""
    members: dict[str, str] = {}
    for version in API_VERSIONS[: API_VERSIONS.index(api_version) + 1]:
        members |= _NEW_MEMBERS[version]
    return members
