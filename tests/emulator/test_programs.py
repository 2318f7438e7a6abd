"""Programs of many kinds reach the emulator with its command, unmodified."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..support import posix
from ..support.environments import run as run_in
from ..support.processes import COMMAND

CONNECTION_STRING = "endpoint=https://contoso.communication.azure.com/;accesskey=YSBrZXkgb2YgdGhlIHJlYWwgcmVzb3VyY2U="
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


PROGRAM = f"""
import os
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.core.credentials import AzureKeyCredential
from azure.identity import DefaultAzureCredential

def use(rooms, identity):
    user, token = identity.create_user_and_token(["voip"])
    room = rooms.create_room(participants=[RoomParticipant(communication_identifier=user)])
    for _ in range(30):
        rooms.create_room()
    assert len(list(rooms.list_rooms())) >= 31  # two pages
    rooms.delete_room(room.id)

def use_endpoint(endpoint, credential):
    use(RoomsClient(endpoint, credential), CommunicationIdentityClient(endpoint, credential))

os.environ["ACS_CONNECTION_STRING"] = {CONNECTION_STRING!r}  # as load_dotenv(override=True) does
text = os.environ["ACS_CONNECTION_STRING"]
use(RoomsClient.from_connection_string(text), CommunicationIdentityClient.from_connection_string(text))
use_endpoint("https://contoso.communication.azure.com", DefaultAzureCredential())
use_endpoint(os.environ["MY_ENDPOINT"], AzureKeyCredential(os.environ["MY_KEY"]))
RoomsClient(os.environ["COMMUNICATION_SAMPLES_ENDPOINT"], DefaultAzureCredential()).create_room()
"""


def test_python(tmp_path: Path) -> None:
    options = ("--env", "MY_ENDPOINT={endpoint}", "--env", "MY_KEY={access_key}")
    command = (sys.executable, "-c", PROGRAM)
    assert run(tmp_path, *options, "--", *command, AZURE_TOKEN_CREDENTIALS="prod") == ([], [INTERCEPTED])


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("dot", "no_proxy"), [("", ""), (".", "corp.example .azure.com")])
def test_curl(tmp_path: Path, dot: str, no_proxy: str) -> None:
    url = URL.replace(".com/", f".com{dot}/")
    command = ("curl", "-sSf", "-H", "Authorization: Bearer any", url)
    assert run(tmp_path, "--", *command, NO_PROXY=no_proxy, no_proxy=no_proxy)[0] == ['{"value":[]}']


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
def test_java(tmp_path: Path) -> None:
    (tmp_path / "Program.java").write_text(JAVA)
    output, errors = run(tmp_path, "--bearer-token", "any", "--", "java", "Program.java", JAVA_TOOL_OPTIONS="-Dmine=1")
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
def test_javascript(tmp_path: Path) -> None:
    packages = ("@azure/identity", "@azure/communication-identity", "@azure/communication-rooms")
    run_in("npm", "install", *packages, "--no-audit", "--no-fund", "--loglevel=error", cwd=tmp_path)
    (tmp_path / "program.mjs").write_text(JAVASCRIPT)
    assert run(tmp_path, "--", "node", "program.mjs") == ([], [INTERCEPTED])
