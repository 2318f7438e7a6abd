"""The services of the emulated resource: Rooms and identity."""
