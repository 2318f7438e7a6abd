"""Use the client from asyncio. The client is synchronous, so each call runs in a thread."""

import asyncio
import contextlib
import functools
import os
from concurrent.futures import ThreadPoolExecutor

from azure.core.exceptions import ResourceNotFoundError

from azure.communication.rooms import RoomsClient


async def one_call(client: RoomsClient) -> None:
    # asyncio.to_thread uses the event loop's default pool, which has min(32, processors + 4) threads. Other code, such
    # as name lookups, uses it too. The context variables are copied, so the call belongs to the current tracing span.
    room = await asyncio.to_thread(client.create_room, pstn_dial_out_enabled=True)
    print(f"Created room {room.id}")

    # A listing fetches its pages while you iterate, so iterate in the thread, too.
    rooms = await asyncio.to_thread(lambda: list(client.list_rooms()))
    print(f"Listed {len(rooms)} room(s)")
    await asyncio.to_thread(client.delete_room, room.id)


async def many_calls(client: RoomsClient, pool: ThreadPoolExecutor) -> None:
    # Your own pool limits the number of calls at a time. The others wait in its queue.
    loop = asyncio.get_running_loop()
    create = functools.partial(client.create_room, timeout=30)
    rooms = await asyncio.gather(*(loop.run_in_executor(pool, create) for _ in range(20)))
    print(f"Created {len(rooms)} rooms, at most 8 at a time")
    await asyncio.gather(*(loop.run_in_executor(pool, client.delete_room, room.id) for room in rooms))


async def cancel(client: RoomsClient, pool: ThreadPoolExecutor) -> str:
    # Cancelling stops the wait, but not the request: its thread continues. To limit the request itself, pass
    # read_timeout and timeout, in seconds.
    loop = asyncio.get_running_loop()
    room = await asyncio.to_thread(client.create_room)
    sending = asyncio.Event()
    delete = functools.partial(
        client.delete_room,
        room.id,
        raw_request_hook=lambda _: loop.call_soon_threadsafe(sending.set),
        read_timeout=5,
        timeout=10,
    )
    deletion = loop.run_in_executor(pool, delete)
    await sending.wait()
    deletion.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await deletion
    print("Stopped waiting for the deletion")
    return room.id


async def use(client: RoomsClient) -> str:
    # The end of this block waits for the pool's threads, and blocks the event loop meanwhile. In a server, do this only
    # at shutdown.
    with ThreadPoolExecutor(max_workers=8) as pool:
        await one_call(client)
        await many_calls(client, pool)
        return await cancel(client, pool)


def main() -> None:
    # All threads share one client. Close it after the pool, or calls in progress fail.
    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        room_id = asyncio.run(use(client))
        try:
            client.get_room(room_id)
        except ResourceNotFoundError:
            print("The deletion took place nevertheless")


if __name__ == "__main__":
    main()
