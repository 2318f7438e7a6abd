from .support.scripted_server import Response as Answer
from .support.scripted_server import scripted_server

__all__ = ["Answer", "scripted_server"]
