"""Loads the plugin with the fixtures ``rooms_emulator`` and ``rooms_client``."""

pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]
