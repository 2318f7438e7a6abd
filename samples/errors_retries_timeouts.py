"""Handle errors, and limit how long a call may take."""

from datetime import datetime, timedelta, timezone

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from sample_resource import connection_string

from azure.communication.rooms import RoomsClient


def find(client: RoomsClient, room_id: str) -> None:
    try:
        print(client.get_room(room_id))
    except ResourceNotFoundError:
        print(f"There is no room {room_id}, or it was deleted")
    except ClientAuthenticationError:
        print("The service refused the access key or the credential")
    except HttpResponseError as error:
        print(f"Status {error.status_code}: {error.message.splitlines()[0]}")
    except AzureError as error:
        print(f"No complete response came from the service: {error}")


def main() -> None:
    # A web request should fail soon rather than wait. After 10 seconds, no new attempt starts.
    client = RoomsClient.from_connection_string(connection_string(), timeout=10, connection_timeout=2, read_timeout=5)
    find(client, "99400000000000000")
    find(client, "123")

    # The service checks the times. The details of its error say what is wrong.
    try:
        client.create_room(valid_until=datetime.now(timezone.utc) - timedelta(minutes=5))
    except HttpResponseError as error:
        for detail in error.error.details if error.error else []:
            print(f"{detail.target}: {detail.message}")

    # If you pass these options to a call, they apply only to that call. A batch job can wait longer.
    room = client.create_room(timeout=600, retry_status=10, retry_backoff_max=60)
    client.delete_room(room.id, retry_total=0)  # no retries
    print(f"Created and deleted room {room.id}")


if __name__ == "__main__":
    main()
