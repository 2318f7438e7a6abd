"""The real time, and the clock of the rooms, which tests can move forward."""

from datetime import datetime, timedelta, timezone
from importlib.util import find_spec, module_from_spec

# A copy of the module time. Libraries such as freezegun replace the functions of the original, and the server would
# then wait forever.
_spec = find_spec("time")
if _spec is None or _spec.loader is None:
    raise ImportError("Python has no module time")
real_time = module_from_spec(_spec)
_spec.loader.exec_module(real_time)

TICKS_PER_SECOND = 10_000_000
"""Times of rooms are in ticks of 100 ns since 1970, which keep seven fractional digits."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_NOW = (datetime(9999, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(seconds=1) * TICKS_PER_SECOND


def real_now() -> datetime:
    """The real time, in UTC."""
    return EPOCH + timedelta(microseconds=real_time.time_ns() // 1000)


class Clock:
    """The clock of the rooms. Signatures are checked against the real time."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """How far the clock is ahead of the real time."""

    def now(self) -> int:
        """The time in ticks."""
        return int(real_time.time_ns()) // 100 + self.ahead // timedelta(microseconds=1) * 10

    def advance(self, delta: timedelta) -> None:
        if delta < timedelta():
            raise ValueError(f"the clock can only move forward, not by {delta}")
        if self.now() + delta // timedelta(microseconds=1) * 10 >= _LAST_NOW:
            raise ValueError(f"the clock cannot move past the year 9998: {delta}")
        self.ahead += delta

    def reset(self) -> None:
        self.ahead = timedelta()
