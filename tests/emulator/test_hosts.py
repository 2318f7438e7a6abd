"""Which values of the ``Host`` header the emulator accepts."""

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from .calls import get


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8787",
        "127.0.0.1.evil.example",
        "192.0.2.1.evil.example",
        "localhost.",
        "",
        "*",
        "[",
    ],
)
def test_other_hosts_are_rejected(emulator: RoomsEmulator, host: str) -> None:
    emulator.inject(status=500)
    status_code, body = get(emulator, {"Host": host})
    assert (status_code, body["error"]["code"]) == (421, "MisdirectedRequest")
    assert body["error"]["message"].startswith(f"The emulator does not serve the host {host!r}.")
    assert emulator.requests == []
    assert len(emulator.pending_faults) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LocalHost:8787", "[::1]:8787", "192.0.2.1", "[2001:DB8::1]"]
)
def test_localhost_and_addresses_are_served(emulator: RoomsEmulator, host: str) -> None:
    assert get(emulator, {"Host": host})[0] == 401


def test_allowed_hosts_are_served() -> None:
    with RoomsEmulator(allowed_hosts=["Rooms.test", "2001:db8::1", "other_1.test"]) as emulator:
        for host in ("rooms.test", "ROOMS.TEST:8787", "other_1.test", "[2001:db8::1]"):
            assert get(emulator, {"Host": host})[0] == 401
        assert get(emulator, {"Host": "x.rooms.test"})[0] == 421


@pytest.mark.parametrize("allowed", ["http://rooms.test", "rooms.test:8787", "[::1]:1", "*", "", "rooms.test/", "é",
    "a..b", ".a", "a.", f"{'a' * 64}.test", f"{'a.' * 126}ab",  # names that no certificate can have
])  # fmt: skip
def test_allowed_host_must_be_a_name(allowed: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts must be host names without a scheme or port, not "):
        RoomsEmulator(allowed_hosts=[allowed])
