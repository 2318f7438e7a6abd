"""The API versions of the Rooms service, oldest first."""

API_VERSIONS = ("2023-06-14", "2023-10-30-preview", "2024-04-15", "2025-03-13")
