"""Create a room exactly once, even if the program crashes after it sent the request.

The program saves a repeatability request ID, the time of the first attempt and the arguments before it sends anything.
After a restart it sends the same request again, and the service returns the room that it already created.

This works only as long as the service remembers the ID. It is not known how long that is, so restart soon.
"""

import os
import sqlite3
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Unpack

from azure.communication.rooms import RequestOptions, RoomsClient

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS consultations (
    name TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    first_sent TEXT NOT NULL,
    opens TEXT NOT NULL,
    room_id TEXT
)
"""


def room_of(
    consultation: str,
    opens: datetime,
    client: RoomsClient,
    database: sqlite3.Connection,
    **options: Unpack[RequestOptions],
) -> str:
    """Return the ID of the consultation's room. The first call creates the room."""
    first_sent = datetime.now(timezone.utc)
    row = (consultation, str(uuid4()), first_sent.isoformat(), opens.isoformat())
    with database:  # commits. If there is a row, an earlier call may have sent its values, so keep them.
        database.execute("INSERT INTO consultations VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING", row)
    select = "SELECT request_id, first_sent, opens, room_id FROM consultations WHERE name = ?"
    saved_id, saved_first_sent, saved_opens, room_id = database.execute(select, (consultation,)).fetchone()
    if room_id is not None:
        return str(room_id)
    room = client.create_room(
        valid_from=datetime.fromisoformat(saved_opens),
        valid_until=datetime.fromisoformat(saved_opens) + timedelta(hours=1),
        repeatability_request_id=saved_id,
        repeatability_first_sent=datetime.fromisoformat(saved_first_sent),
        **options,
    )
    with database:
        database.execute("UPDATE consultations SET room_id = ? WHERE name = ?", (room.id, consultation))
    return room.id


def crash(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    raise SystemExit(f"crash after status {response.http_response.status_code}, before the room's ID was saved")


def main() -> None:
    opens = datetime.now(timezone.utc) + timedelta(days=1)
    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        database = sqlite3.connect(":memory:")  # in your program, use a file or a server, which survives a crash
        database.execute(CREATE_TABLE)
        try:
            room_of("consultation 4711", opens, client, database, raw_response_hook=crash)
        except SystemExit as error:
            print(f"Simulated a {error}")

        room_id = room_of("consultation 4711", opens, client, database)
        print(f"Sent the same request again: room {room_id}")
        print(f"Asked once more, sent nothing: room {room_of('consultation 4711', opens, client, database)}")
        client.delete_room(room_id)
        database.close()


if __name__ == "__main__":
    main()
