"""The pytest plugin. Each test runs a small test suite that uses it."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]
PLUGIN = 'pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]\n'


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the suites need no other plugins
    pytester.makeconftest(PLUGIN)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']")
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    return suite.runpytest_subprocess("-p", "no:cacheprovider", *args)


def test_each_test_starts_empty_and_uses_its_faults(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest
        from azure.core.exceptions import HttpResponseError
        endpoints = set()

        @pytest.mark.parametrize("n", range(2))
        def test_room(rooms_emulator, rooms_client, n):
            assert rooms_emulator.requests == []
            assert list(rooms_client.list_rooms()) == []
            room = rooms_client.create_room()
            assert rooms_client.get_room(room.id) == room
            endpoints.add(rooms_emulator.endpoint)
            assert len(endpoints) == 1

        def test_fault(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, path="/rooms")
            rooms_client.create_room()

        def test_partly_used_fault(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, times=5)
            with pytest.raises(HttpResponseError):
                rooms_client.create_room(retry_total=0)

        def test_mistyped_fault(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, path="/romms")
            rooms_client.create_room()

        def test_next(rooms_emulator, rooms_client):
            assert rooms_emulator.pending_faults == []
    """)
    result = run(suite)
    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(["*these injected faults never applied*", "*path='/romms'*"])


def test_session_with_http_in_each_xdist_worker(suite: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    suite.makeconftest(f"""{PLUGIN}
import pytest
from azure.communication.rooms import RoomsClient

@pytest.fixture(scope="session")
def rooms_emulator_options():
    return {{"page_size": 1, "tls": False}}

@pytest.fixture(scope="session")
def rooms(rooms_emulator_session):
    emulator = rooms_emulator_session
    with RoomsClient.from_connection_string(emulator.connection_string) as client:
        return [client.create_room() for _ in range(2)]
""")
    suite.makepyfile(
        test_session="""
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_rooms_stay(rooms_emulator_session, rooms, n):
            assert [request.method for request in rooms_emulator_session.requests] == ["POST", "POST"]
        """,
        test_http="""
        def test_client(rooms_emulator, rooms_client):
            assert rooms_emulator.endpoint.startswith("http://")
            assert rooms_client.create_room().id
            assert len(rooms_emulator.requests) == 1
        """,
    )
    run(suite, "-p", "xdist", "-n", "2", "--dist", "loadfile").assert_outcomes(passed=5)


PROGRAM = """
import os
from datetime import datetime, timedelta, timezone
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomParticipant, RoomsClient

SETTING = "endpoint=https://contoso.communication.azure.com/;accesskey=a2V5"
client = RoomsClient.from_connection_string(SETTING)
identity = CommunicationIdentityClient.from_connection_string(SETTING)

def book():
    now = datetime.now(timezone.utc)
    user, token = identity.create_user_and_token(["voip"])
    participants = [RoomParticipant(user)]
    return client.create_room(valid_from=now, valid_until=now + timedelta(hours=1), participants=participants)
"""


def test_program_with_settings_of_its_own(suite: pytest.Pytester) -> None:
    suite.makeconftest(f"""{PLUGIN}
import pytest

@pytest.fixture(scope="session")
def rooms_emulator_options():
    return {{"page_size": 1}}  # and what rooms_environment needs
""")
    suite.makepyfile(program=PROGRAM)
    suite.makepyfile("""
        import os
        import time_machine
        from azure.communication.rooms import RoomsClient
        from azure.identity import DefaultAzureCredential
        from freezegun import freeze_time
        from program import book

        def test_clients_made_at_import(rooms_environment, rooms_client):
            rooms = [book(), RoomsClient.from_connection_string(os.environ["ACS_CONNECTION_STRING"]).create_room()]
            assert [list(page) for page in rooms_client.list_rooms().by_page()] == [[rooms[1]], [rooms[0]]]

        def test_entra_id(rooms_environment):
            with RoomsClient("https://contoso.communication.azure.com", DefaultAzureCredential()) as client:
                assert client.create_room().id

        @freeze_time("2031-01-01")
        def test_frozen_time(rooms_environment, rooms_client):
            assert book() == next(rooms_client.list_rooms())

        @time_machine.travel("2030-01-01T09:00Z")
        def test_time_travel(rooms_environment, rooms_client):
            assert book() == next(rooms_client.list_rooms())

        def test_environment_lasts_for_one_test():
            assert "ACS_CONNECTION_STRING" not in os.environ
    """)
    run(suite).assert_outcomes(passed=5)


def test_environment_that_refuses_proxies(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    suite.makepyfile("def test_program(rooms_environment): pass")
    result = run(suite)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["NO_PROXY is ?, so requests to Azure would not be intercepted*"])


def test_emulator_does_not_import_pytest() -> None:
    program = "import sys, azure.communication.rooms.emulator as e; e.RoomsEmulator; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
