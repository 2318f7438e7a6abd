"""The tokens in the links to next pages.

They look like the service's tokens: 715 characters of unpadded base64, without ``+``, ``/`` and ``=``. Clients must
treat them as opaque.
"""

import base64
import re

from ._errors import bad_request

# Base64 encodes three characters at a time. For ASCII text, it contains + or / only if the third character of a group
# is > ? ~ or DEL, which is never the case here.
_CONTENT = '[{{"token":"+RID:~{position:016X}AAAAAA==#RT:1#TRC:30#ISV:2#IEO:65567#QCF:8#FPC:{filler}"}}]'
_CONTENT_LENGTH = 536
_FILLER = "A" * (_CONTENT_LENGTH - len(_CONTENT.format(position=0, filler="")))
_POSITION = re.compile(rb'\[\{"token":"\+RID:~([0-9A-F]{16})A')


def encode_token(position: int) -> str:
    content = _CONTENT.format(position=position, filler=_FILLER)
    return base64.b64encode(content.encode("ascii")).decode("ascii").rstrip("=")


def decode_token(token: str) -> int:
    """Return the position in a token. Raise a 400 error if :func:`encode_token` did not make the token."""
    try:
        match = _POSITION.match(base64.b64decode(token + "=" * (-len(token) % 4), validate=True))
    except ValueError:
        match = None
    position = int(match[1], 16) if match else -1
    if not 0 <= position < 2**63 or encode_token(position) != token:
        raise bad_request("The nextLink was not issued by this service.")
    return position
