"""A local emulator of the Rooms service, for development and tests without an Azure account.

It needs the extra ``emulator``: ``pip install "<path of the checkout>[emulator]"``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._emulator import DEVELOPMENT_ACCESS_KEY, Fault, ReceivedRequest, RoomsEmulator

__all__ = ["DEVELOPMENT_ACCESS_KEY", "Fault", "ReceivedRequest", "RoomsEmulator"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    # Imported on first use, so that the command line can report a missing extra in one line.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import _emulator  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the emulator needs {error.name}: install this package with the emulator extra, "
            "as in pip install '<path of the checkout>[emulator]'",
            name=error.name,
        ) from error
    value: object = getattr(_emulator, name)
    return value
