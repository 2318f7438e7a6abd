"""The emulator works with Microsoft's JavaScript clients for users, tokens and rooms together."""

from pathlib import Path

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from ..support.environments import run

PROGRAM = """
import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { CommunicationIdentityClient } from "@azure/communication-identity";
import { RoomsClient } from "@azure/communication-rooms";

const identity = new CommunicationIdentityClient(process.argv[2], { allowInsecureConnection: true });
const rooms = new RoomsClient(process.argv[2], { allowInsecureConnection: true });
const { user, token, expiresOn } = await identity.createUserAndToken(["chat", "voip"]);
const { expiresOnTimestamp } = await new AzureCommunicationTokenCredential(token).getToken();
console.log(Math.floor(expiresOn.getTime() / 1000) * 1000 === expiresOnTimestamp);
const room = await rooms.createRoom({ participants: [{ id: user, role: "Presenter" }] });
for await (const participant of rooms.listParticipants(room.id)) {
  console.log(participant.id.communicationUserId === user.communicationUserId, participant.role);
}
await identity.getToken(user, ["voip"], { tokenExpiresInMinutes: 60 });
await identity.revokeTokens(user);
await identity.deleteUser(user);
await identity.getToken(user, []).catch((error) => console.log(error.statusCode, error.code, error.message));
"""


@pytest.mark.index
def test_users_tokens_and_rooms(tmp_path: Path) -> None:
    packages = [f"@azure/communication-{name}" for name in ("common", "identity", "rooms")]
    run("npm", "install", *packages, "--no-audit", "--no-fund", "--loglevel=error", cwd=tmp_path)
    (tmp_path / "app.mjs").write_text(PROGRAM)
    with RoomsEmulator() as emulator:
        assert run("node", "app.mjs", emulator.connection_string, cwd=tmp_path).splitlines() == [
            "true",
            "true Presenter",
            "400 ValidationError Invalid scopes - Scopes field is required.",
        ]
