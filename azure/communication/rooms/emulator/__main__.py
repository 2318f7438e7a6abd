"""Runs the emulator's command line: ``python -m azure.communication.rooms.emulator``."""

from ._command import main

if __name__ == "__main__":
    main()
