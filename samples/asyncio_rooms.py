"""Use the client from asyncio. The client is synchronous, so each call runs in a thread."""

import asyncio

from sample_resource import connection_string

from azure.communication.rooms import RoomsClient


async def use(client: RoomsClient) -> None:
    # The event loop does other work meanwhile, and any number of calls can share one client. If you cancel a call, its
    # request goes on in the thread. To limit the request itself, pass timeout and read_timeout, in seconds.
    rooms = await asyncio.gather(*(asyncio.to_thread(client.create_room, timeout=30) for _ in range(5)))
    print(f"Created {len(rooms)} rooms")

    # A listing fetches its pages while you iterate, so iterate in the thread, too.
    listed = await asyncio.to_thread(lambda: list(client.list_rooms()))
    print(f"Listed {len(listed)} rooms")

    await asyncio.gather(*(asyncio.to_thread(client.delete_room, room.id) for room in rooms))
    print("Deleted them")


def main() -> None:
    asyncio.run(use(RoomsClient.from_connection_string(connection_string())))


if __name__ == "__main__":
    main()
