"""A small web application and its tests."""
