"""Programs of many kinds reach the emulator with its command, unmodified."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..support import posix
from ..support.environments import Environment
from ..support.environments import run as run_in
from ..support.processes import COMMAND

KEY = "YSBrZXkgb2YgdGhlIHJlYWwgcmVzb3VyY2U="
CONNECTION_STRING = f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}"
INTERCEPTED = "contoso.communication.azure.com is served by the emulator"
URL = "https://contoso.communication.azure.com/rooms?api-version=2025-03-13"


def run(folder: Path, *arguments: str, **environment: str) -> tuple[list[str], list[str]]:
    """Run a command that must succeed. Return the lines of its output, and those of the errors after the first."""
    variables = {**os.environ, **environment}
    process = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout.splitlines(), process.stderr.splitlines()[1:]


USE = """
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomParticipant, RoomsClient

def use(rooms, identity):
    user, token = identity.create_user_and_token(["voip"])
    room = rooms.create_room(participants=[RoomParticipant(communication_identifier=user)])
    for _ in range(30):
        rooms.create_room()
    assert len(list(rooms.list_rooms())) == 31  # two pages
    rooms.delete_room(room.id)

def use_connection_string(text):
    use(RoomsClient.from_connection_string(text), CommunicationIdentityClient.from_connection_string(text))

def use_endpoint(endpoint, credential):
    use(RoomsClient(endpoint, credential), CommunicationIdentityClient(endpoint, credential))
"""
HARD_CODED = f"from use import *; use_connection_string({CONNECTION_STRING!r})"
OWN_SETTINGS = """
from azure.core.credentials import AzureKeyCredential
import config
from use import *
use_endpoint(config.ENDPOINT, AzureKeyCredential(config.KEY))
"""
OVERRIDE = f"""
import os
from use import *
os.environ["ACS_CONNECTION_STRING"] = {CONNECTION_STRING!r}  # as load_dotenv(override=True) does
use_connection_string(os.environ["ACS_CONNECTION_STRING"])
"""
ENTRA = """
import os
from azure.identity import DefaultAzureCredential
from use import *
use_endpoint("https://contoso.communication.azure.com", DefaultAzureCredential())
RoomsClient(os.environ["COMMUNICATION_SAMPLES_ENDPOINT"], DefaultAzureCredential()).create_room()
"""
TWO_VARIABLES = """
import os
from azure.core.credentials import AzureKeyCredential
from use import *
use_endpoint(os.environ["MY_ENDPOINT"], AzureKeyCredential(os.environ["MY_KEY"]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "config.py").write_text(f"ENDPOINT, KEY = 'https://contoso.communication.azure.com', {KEY!r}\n")
    return tmp_path


@pytest.mark.parametrize("program", [HARD_CODED, OWN_SETTINGS, OVERRIDE, ENTRA])
def test_program_of_a_resource_in_azure(folder: Path, program: str) -> None:
    assert run(folder, "--", sys.executable, "-c", program, AZURE_TOKEN_CREDENTIALS="prod") == ([], [INTERCEPTED])


def test_endpoint_and_key_in_two_variables(folder: Path) -> None:
    variables = ("--env", "MY_ENDPOINT={endpoint}", "--env", "MY_KEY={access_key}")
    assert run(folder, *variables, "--", sys.executable, "-c", TWO_VARIABLES) == ([], [])


@pytest.mark.index
def test_released_client_in_an_environment_of_its_own(folder: Path) -> None:
    environment = Environment(folder)
    environment.install("azure-communication-rooms==1.2.0", "azure-communication-identity")
    _, errors = run(folder, "--", environment.interpreter, "-c", HARD_CODED)
    assert INTERCEPTED in errors


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("host", ["contoso.communication.azure.com", "contoso.communication.azure.com."])
@pytest.mark.parametrize("no_proxy", ["", "corp.example .azure.com"])
def test_curl(folder: Path, host: str, no_proxy: str) -> None:
    url = URL.replace("contoso.communication.azure.com", host)
    command = ("curl", "-sSf", "-H", "Authorization: Bearer any", url)
    assert run(folder, "--", *command, NO_PROXY=no_proxy, no_proxy=no_proxy)[0] == ['{"value":[]}']


JAVA = f"""
import java.net.*;
import java.net.http.*;

public class Program {{
    public static void main(String[] arguments) throws Exception {{
        var client = HttpClient.newHttpClient();
        for (var url : new String[] {{System.getenv("COMMUNICATION_SAMPLES_ENDPOINT") + "/rooms?api-version=2025-03-13",
                "{URL}"}}) {{
            var request = HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer any")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{{\\"pstnDialOutEnabled\\": true}}")).build();
            var response = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.body().contains("\\"pstnDialOutEnabled\\":true"));
        }}
    }}
}}
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="needs a JDK")
def test_java(folder: Path) -> None:
    (folder / "Program.java").write_text(JAVA)
    output, errors = run(folder, "--bearer-token", "any", "--", "java", "Program.java", JAVA_TOOL_OPTIONS="-Dmine=1")
    assert output == ["201 true", "201 true"]
    assert errors[0].startswith("Picked up JAVA_TOOL_OPTIONS: -Dmine=1 ")
    assert errors[1:] == [INTERCEPTED]


JAVASCRIPT = f"""
import {{ DefaultAzureCredential }} from "@azure/identity";
import {{ CommunicationIdentityClient }} from "@azure/communication-identity";
import {{ RoomsClient }} from "@azure/communication-rooms";

const {{ user }} = await new CommunicationIdentityClient("{CONNECTION_STRING}").createUserAndToken(["voip"]);
await new RoomsClient("{CONNECTION_STRING}").createRoom({{ participants: [{{ id: user }}] }});
for (const endpoint of ["https://contoso.communication.azure.com", process.env.COMMUNICATION_SAMPLES_ENDPOINT])
  await new RoomsClient(endpoint, new DefaultAzureCredential()).createRoom({{}});
"""


@posix
@pytest.mark.index
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs Node.js")
def test_javascript(folder: Path) -> None:
    packages = ("@azure/identity", "@azure/communication-identity", "@azure/communication-rooms")
    run_in("npm", "install", *packages, "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    (folder / "program.mjs").write_text(JAVASCRIPT)
    assert run(folder, "--", "node", "program.mjs") == ([], [INTERCEPTED])
