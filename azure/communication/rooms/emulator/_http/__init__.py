"""The HTTP server, from a connection to the application that responds."""
