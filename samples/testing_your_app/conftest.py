"""Loads the plugin, which has the fixtures that the tests use."""

pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]
