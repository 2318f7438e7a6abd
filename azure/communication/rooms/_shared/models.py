"""The communication identifiers, for programs that import them from here, as from the released package."""

from .._identifiers import *  # noqa: F403
