"""Which values of the ``Host`` header are allowed. ``test_app.py`` sends such headers to the emulator."""

import pytest

from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._hosts import Hosts


@pytest.mark.parametrize("listening", ["::1", "0:0:0:0:0:0:0:1"])
def test_ipv6_address_in_any_notation(listening: str) -> None:
    hosts = Hosts(listening, [])
    assert hosts.endpoint == "[::1]"
    assert hosts.include("[::1]:8787")
    assert hosts.include("[0:0:0:0:0:0:0:1]")
    assert not hosts.include("[::2]:8787")
    assert not hosts.include("::1")


@pytest.mark.parametrize("allowed", ["2001:db8::A", "[2001:db8::a]", "2001:DB8:0:0:0:0:0:a"])
def test_allowed_ipv6_address(allowed: str) -> None:
    hosts = Hosts("127.0.0.1", [allowed])
    assert hosts.include("[2001:db8::a]")
    assert hosts.include("[2001:DB8::A]:8787")
    assert not hosts.include("[2001:db8::b]")


@pytest.mark.parametrize(
    "allowed", ["http://rooms.test", "rooms.test:8787", "[::1]:1", "*", "", " ", "rooms.test/", "é"]
)
def test_allowed_host_must_be_a_name(allowed: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts must be host names without a scheme or port, not "):
        RoomsEmulator(allowed_hosts=[allowed])


@pytest.mark.parametrize(
    "header",
    ["localhost:x", "localhost:evil.example", "localhost:1:1", "localhost.", "[localhost]", "a@localhost", "*"],
)
def test_malformed_header(header: str) -> None:
    for listening in ("127.0.0.1", "0.0.0.0", "::", ""):
        assert not Hosts(listening, []).include(header)


@pytest.mark.parametrize(
    ("listening", "endpoint"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("0::0", "[::1]"), ("", "127.0.0.1")]
)
def test_listening_on_all_addresses(listening: str, endpoint: str) -> None:
    hosts = Hosts(listening, [])
    assert hosts.endpoint == endpoint
    assert hosts.include("192.0.2.1:8787")
    assert hosts.include("[2001:db8::1]:8787")
    for other in ("evil.example", "192.0.2.1.evil.example", "[192.0.2.1]", "2001:db8::1", "", ":8787"):
        assert not hosts.include(other)
