"""The api-versions of the Rooms service, and what each one added."""

import itertools
import operator

# The boolean room members that each api-version introduced, oldest version first. Later versions keep them. To add a
# version, add a row. Also name a new member in _room_json.py and in _store.py.
_NEW_MEMBERS: dict[str, frozenset[str]] = {
    "2023-06-14": frozenset(),
    "2023-10-30-preview": frozenset({"pstnDialOutEnabled"}),
    "2024-04-15": frozenset(),
    "2025-03-13": frozenset(),
}
API_VERSIONS = tuple(_NEW_MEMBERS)

_MEMBERS = dict(zip(API_VERSIONS, itertools.accumulate(_NEW_MEMBERS.values(), operator.or_), strict=True))


def has_member(api_version: str, member: str) -> bool:
    """Whether rooms of this api-version have the boolean member."""
    return member in _MEMBERS[api_version]
