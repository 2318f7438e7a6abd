"""Create a room exactly once, even if the program crashes after it sent the request.

The program saves a repeatability request ID, the time of the first attempt and the arguments before it sends anything.
After a restart it sends the same request again, and the service returns the room that it already created.

This works only as long as the service remembers the ID. It is not known how long that is, so restart soon.
"""

import sqlite3
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from sample_resource import connection_string

from azure.communication.rooms import CommunicationRoom, RoomsClient

TABLE = "CREATE TABLE consultations (name PRIMARY KEY, request_id, first_sent, opens, room_id)"


def plan(database: sqlite3.Connection, name: str, opens: datetime) -> None:
    """Save all that the request for the consultation's room consists of."""
    values = (name, str(uuid4()), datetime.now(timezone.utc).isoformat(), opens.isoformat())
    with database:  # commits
        database.execute("INSERT INTO consultations VALUES (?, ?, ?, ?, NULL)", values)


def send(database: sqlite3.Connection, name: str, client: RoomsClient) -> CommunicationRoom:
    """Send the saved request. However often you call this, the service creates one room."""
    query = "SELECT request_id, first_sent, opens FROM consultations WHERE name = ?"
    request_id, first_sent, opens = database.execute(query, (name,)).fetchone()
    return client.create_room(
        valid_from=opens,
        valid_until=datetime.fromisoformat(opens) + timedelta(hours=1),
        repeatability_request_id=request_id,
        repeatability_first_sent=datetime.fromisoformat(first_sent),
    )


def main() -> None:
    client = RoomsClient.from_connection_string(connection_string())
    database = sqlite3.connect(":memory:")  # in your program, use a file or a server, which survives a crash
    database.execute(TABLE)

    plan(database, "consultation 4711", opens=datetime.now(timezone.utc) + timedelta(days=1))
    room = send(database, "consultation 4711", client)
    print(f"Created room {room.id}. Suppose that the program crashes now, before it saves the ID.")

    # After a restart, do this for each consultation without a room ID.
    room = send(database, "consultation 4711", client)
    with database:
        database.execute("UPDATE consultations SET room_id = ? WHERE name = ?", (room.id, "consultation 4711"))
    print(f"Sent the same request again, and got the same room: {room.id}")

    client.delete_room(room.id)
    database.close()


if __name__ == "__main__":
    main()
