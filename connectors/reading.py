"""Reading a page of JSON: as a whole from its bytes, and item by item when that fails."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from connectors.connector import Line, Parsed, SourceError
from connectors.failures import redact_url
from connectors.records import Record

Item = TypeVar("Item")

# Numbers that become columns, and seconds that become columns of microseconds: JSON's have no end.
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Seconds = Annotated[int, Field(ge=-(2**63) // 1_000_000 + 1, lt=2**63 // 1_000_000)]


class Wire(BaseModel):
    """A part of a payload: only the fields of use; what vendors call required may be absent."""

    model_config = ConfigDict(extra="ignore")


class CamelWire(Wire):
    """A part of a payload whose names are written like this: `mergedAt`."""

    model_config = ConfigDict(alias_generator=to_camel)


def load_json(body: bytes) -> tuple[Any, int]:
    """The value of a body and the number of texts mended in it.

    Lone surrogates and stray bytes, which no database takes, become U+FFFD. Raises `ValueError`
    for anything but JSON.
    """
    try:
        return from_json(body, cache_strings="keys"), 0
    except ValueError:
        mended: list[int] = []
        try:
            value = _mend(json.loads(body.decode("utf-8", "replace")), mended)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        return value, len(mended)


def dig(data: Any, *path: str) -> Any:
    """What stands at a path of objects, None where one is missing or null."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def moment_of(text: Any) -> datetime | None:
    """A time of a payload; None for one that only the parser has to complain about."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def _mend(value: Any, mended: list[int]) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            mended.append(1)
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value
    if isinstance(value, list):
        return [_mend(each, mended) for each in value]
    if isinstance(value, dict):
        return {_mend(name, mended): _mend(each, mended) for name, each in value.items()}
    return value


@dataclass(frozen=True)
class Children:
    """A list inside an item whose members are read, and may be rejected, on their own."""

    path: tuple[str, ...]
    item: Any
    record_type: type[Record]

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Reads one member."""
        return TypeAdapter(self.item)


class Reader(Generic[Item]):
    """Reads the items of one shape of page.

    `path` leads to the list of items (or, for `is_mapping`, to an object whose values they are);
    None says that the whole body is one item.
    """

    def __init__(
        self,
        item: type[Item],
        path: tuple[str, ...] | None,
        record_type: type[Record],
        *,
        children: Sequence[Children] = (),
        is_mapping: bool = False,
    ) -> None:
        self._type = item
        self._path = path
        self._record_type = record_type
        self._children = children
        self._is_mapping = is_mapping

    @property
    def is_inside(self) -> bool:
        """Whether the items stand inside an object."""
        return bool(self._path)

    @cached_property
    def _item(self) -> TypeAdapter[Item]:
        return TypeAdapter(self._type)

    @cached_property
    def _page(self) -> TypeAdapter[Any]:
        if self._path is None:
            return TypeAdapter(self._type)
        item: Any = self._type
        shape: Any = dict[str, item] if self._is_mapping else list[item]
        for name in reversed(self._path):
            level: dict[str, Any] = {name: (shape, ...)}
            shape = create_model("Level", __base__=Wire, **level)
        return TypeAdapter(shape)

    def read(self, line: Line, parsed: Parsed) -> list[Item]:
        """The items of the page; what cannot be read is rejected in `parsed` with its path.

        Raises `SourceError` where the page is not of this shape at all.
        """
        try:
            page = self._page.validate_json(line.body)
        except ValidationError:
            return self._one_by_one(line, parsed)
        if self._path is None:
            return [page]
        for name in self._path:
            page = getattr(page, name)
        items: list[Item] = list(page.values()) if self._is_mapping else page
        return items

    def _one_by_one(self, line: Line, parsed: Parsed) -> list[Item]:
        try:
            value, mended = load_json(line.body)
        except ValueError as error:
            raise SourceError(
                f"{redact_url(line.url)}: the kept page is not JSON ({error})"
            ) from error
        if mended:
            parsed.mended[self._record_type.table] += mended
        raw, where = self._members(line, value)
        items = []
        for name, each in raw:
            item = self._salvaged(each, f"{where}{name}", parsed)
            if item is not None:
                items.append(item)
        return items

    def _members(self, line: Line, value: Any) -> tuple[list[tuple[str, Any]], str]:
        if self._path is None:
            if not isinstance(value, dict):
                raise _odd(line, "$", "an object", value)
            return [("", value)], "$"
        place = "$"
        for name in self._path:
            if not isinstance(value, dict) or name not in value:
                raise _odd(line, place, f"an object with {name!r}", value)
            value, place = value[name], f"{place}.{name}"
        if self._is_mapping and isinstance(value, dict):
            return [(f".{name}", each) for name, each in value.items()], place
        if self._is_mapping or not isinstance(value, list):
            raise _odd(line, place, "an object" if self._is_mapping else "a list", value)
        return [(f"[{index}]", each) for index, each in enumerate(value)], place

    def _salvaged(self, raw: Any, where: str, parsed: Parsed) -> Item | None:
        """The item without its bad children, None when the item itself is bad."""
        try:
            return self._item.validate_python(raw)
        except ValidationError as error:
            problem = _told(error)
        if raw is None:
            problem = "the source gave null in the place of this item"
        bad: list[tuple[type[Record], str, str, Any]] = []
        for children in self._children:
            bad += _without_bad(raw, children, where)
        try:
            item = self._item.validate_python(raw)
        except ValidationError as error:
            parsed.reject(self._record_type, where, problem if raw is None else _told(error), raw)
            return None
        for record_type, path, child_problem, child in bad:
            parsed.reject(record_type, path, child_problem, child)
        return item


def _without_bad(
    raw: Any, children: Children, where: str
) -> list[tuple[type[Record], str, str, Any]]:
    """Take the unreadable members out of a list inside `raw`; what was taken, and why."""
    holder = dig(raw, *children.path[:-1])
    members = dig(holder, children.path[-1])
    if not isinstance(members, list):
        return []
    good, bad = [], []
    for index, member in enumerate(members):
        try:
            children.adapter.validate_python(member)
            good.append(member)
        except ValidationError as error:
            path = f"{where}.{'.'.join(children.path)}[{index}]"
            bad.append((children.record_type, path, _told(error), member))
    holder[children.path[-1]] = good
    return bad


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def unknown_shape(
    *,
    url: str,
    place: str,
    expected: str,
    value: Any,
    remedy: str = "the source may have changed, update Leadline",
) -> SourceError:
    """What to raise for a page where something else stands at a place than was expected."""
    found = "null" if value is None else type(value).__name__
    if isinstance(value, dict):
        found = f"an object with {', '.join(sorted(map(repr, value))[:5]) or 'nothing'}"
    return SourceError(
        f"{redact_url(url)} answered with a page of unknown shape: at {place} expected "
        f"{expected}, found {found}; {remedy}"
    )


def _odd(line: Line, place: str, expected: str, value: Any) -> SourceError:
    return unknown_shape(url=line.url, place=place, expected=expected, value=value)
