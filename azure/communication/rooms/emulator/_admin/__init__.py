"""What only the emulator has: faults, the request log, and the HTTP API and the page under ``/_emulator``."""
