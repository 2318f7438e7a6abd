"""There is no asynchronous client."""

raise ImportError(
    "azure.communication.rooms.aio does not exist: this client is synchronous. "
    "From asyncio, call RoomsClient in a thread, as in `await asyncio.to_thread(client.get_room, room_id)`."
)
