"""The pytest plugin. Each test runs a small test suite that uses it."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]
PLUGIN = 'pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]'


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(PLUGIN)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']")
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    return suite.runpytest_subprocess("-p", "no:cacheprovider", *args)


def test_client_calls_the_emulator(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        def test_room(rooms_emulator, rooms_client):
            room = rooms_client.create_room()
            assert rooms_client.get_room(room.id) == room
            assert [request.method for request in rooms_emulator.requests] == ["POST", "GET"]
    """)
    run(suite).assert_outcomes(passed=1)


def test_each_test_starts_empty(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest
        endpoints = set()

        @pytest.mark.parametrize("n", range(3))
        def test_room(rooms_emulator, rooms_client, n):
            assert rooms_emulator.requests == []
            assert list(rooms_client.list_rooms()) == []
            rooms_client.create_room()
            endpoints.add(rooms_emulator.endpoint)
            assert len(endpoints) == 1
    """)
    run(suite).assert_outcomes(passed=3)


def test_applied_fault_passes(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pytest
        from azure.core.exceptions import HttpResponseError

        def test_fault(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, path="/rooms")
            rooms_client.create_room()

        def test_partly_used_fault(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, times=5)
            with pytest.raises(HttpResponseError):
                rooms_client.create_room(retry_total=0)
    """)
    run(suite).assert_outcomes(passed=2)


def test_unused_fault_fails_the_test(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        def test_mistyped(rooms_emulator, rooms_client):
            rooms_emulator.inject(status=503, path="/romms")
            rooms_client.create_room()

        def test_next(rooms_emulator, rooms_client):
            assert rooms_emulator.pending_faults == []
    """)
    result = run(suite)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*these injected faults never applied*", "*path='/romms'*"])


def test_xdist_workers_have_own_emulators(suite: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    suite.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(8))
        def test_room(rooms_emulator, rooms_client, n):
            assert list(rooms_client.list_rooms()) == []
            rooms_client.create_room()
    """)
    run(suite, "-n", "2").assert_outcomes(passed=8)


def test_plugin_is_opt_in(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_nothing(request):
            import sys
            assert "azure.communication.rooms" not in sys.modules
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_emulator_does_not_import_pytest() -> None:
    program = "import sys, azure.communication.rooms.emulator as e; e.RoomsEmulator; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
