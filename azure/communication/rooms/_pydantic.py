"""How pydantic, and so FastAPI, reads and writes the models: as the service's JSON."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


def json_object(value: object) -> Mapping[str, object]:
    """Raise a ValueError if the JSON value is not an object."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, not {type(value).__name__}")
    return value


class Model:
    """The base class of the models. Only pydantic calls its methods."""

    _json_schema: ClassVar[Mapping[str, object]]
    _to_json: ClassVar[Callable[[Any], object]]

    @classmethod
    def _from_json(cls, value: object) -> object:
        return cls(json_object(value))  # type: ignore[call-arg]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Mapping[str, object]:
        from pydantic_core import core_schema  # noqa: PLC0415 - the client works without pydantic

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls._from_json(value),
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(cls._to_json),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: object, handler: object) -> Mapping[str, object]:
        return {"title": cls.__name__, **cls._json_schema}
