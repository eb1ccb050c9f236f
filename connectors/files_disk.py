"""Files on disk: their header checked against the declaration, their bytes cut into pieces."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import pyarrow as pa
from pyarrow import parquet

from connectors.connector import SourceError
from connectors.files_options import TableOptions

PIECE = 8_000_000
# What cannot be cut (Parquet, UTF-16, members of a team, results of an audit) is kept whole.
WHOLE = 256_000_000
_HEADER_REACH = 1_000_000
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Header:
    """The columns a file has, and how many lines they take."""

    names: list[str]
    lines: int


@dataclass(frozen=True)
class Piece:
    """Bytes of a file from the beginning of one row to the end of another."""

    body: bytes
    first_line: int
    breaks: int
    is_last: bool


def read_header(table: TableOptions) -> Header:
    """The header of a table's file; raises `SourceError` where it is not as declared."""
    path = table.path
    if not path.exists():
        raise SourceError(f"{path} does not exist; put the file there or correct path")
    if not path.is_file():
        raise SourceError(f"{path} is not a file; name one CSV or Parquet file in path")
    header = _parquet_header(table) if table.is_parquet else _csv_header(table)
    for column in table.columns.values():
        if column not in header.names:
            raise SourceError(_lacking(table, column, header.names))
        if (count := header.names.count(column)) > 1:
            raise SourceError(
                f"{path}, line 1: the column {column!r} stands there {count} times; rename one"
            )
    return header


def fingerprint(table: TableOptions) -> str:
    """Changes when the file's bytes or its declaration change."""
    digest = hashlib.sha256(table.model_dump_json().encode())
    try:
        with table.path.open("rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise SourceError(f"{table.path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def pieces(table: TableOptions, marker: str) -> Iterator[Piece]:
    """The file's bytes in order; raises `SourceError` where they are not those of `marker`."""
    digest = hashlib.sha256(table.model_dump_json().encode())
    first_line = 1
    bodies = _bodies(table)
    body = next(bodies, None)
    while body is not None:
        following = next(bodies, None)
        digest.update(body)
        if following is None and digest.hexdigest() != marker:
            raise SourceError(f"{table.path} was changed while it was read; sync again")
        breaks = 0 if table.is_parquet else _line_breaks(table, body, first_line)
        yield Piece(body, first_line, breaks, is_last=following is None)
        first_line += breaks
        body = following


def _bodies(table: TableOptions) -> Iterator[bytes]:
    is_whole = (
        table.is_parquet or table.record in {"team", "audit_result"} or _is_wide(table.encoding)
    )
    with table.path.open("rb") as source:
        if is_whole:
            body = source.read(WHOLE + 1)
            if len(body) > WHOLE:
                raise SourceError(
                    f"{table.path} is larger than {WHOLE // 1_000_000} MB; split it into several"
                )
            yield body
            return
        rest = b""
        while block := source.read(PIECE - len(rest)):
            rest += block
            end = _end_of_row(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) >= PIECE:
                yield rest
                rest = b""
        if rest:
            yield rest


def _end_of_row(body: bytes) -> int:
    """Where the last row that ends in `body` ends: the last line break outside of quotes."""
    if len(body) < PIECE:
        return 0  # the rest of the file
    end = len(body)
    quotes = body.count(b'"')
    while (at := body.rfind(b"\n", 0, end)) >= 0:
        quotes -= body.count(b'"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at
    return body.rfind(b"\n") + 1


def _line_breaks(table: TableOptions, body: bytes, first_line: int) -> int:
    """Line breaks of a piece; what is not in the declared encoding is an error with its line."""
    try:
        text = body.decode(table.encoding)
    except UnicodeDecodeError as error:
        before = body[: error.start].decode(table.encoding, errors="replace")
        line = first_line + before.count("\n")
        raise SourceError(
            f"{table.path}, line {line}: byte 0x{body[error.start]:02X} is not {table.encoding}; "
            'set encoding to what the file was saved in, such as "cp1252"'
        ) from error
    return text.count("\n") or text.count("\r")


def _csv_header(table: TableOptions) -> Header:
    with table.path.open("rb") as source:
        start = source.read(_HEADER_REACH)
    if start.startswith(_UTF16_BOMS) and not _is_wide(table.encoding):
        raise SourceError(f'{table.path} is saved as UTF-16; set encoding = "utf-16" for it')
    # The reach may end within a character; the whole file is checked piece by piece.
    text = start.decode(table.encoding, errors="replace").removeprefix("\ufeff")
    if not text.strip():
        raise SourceError(f"{table.path} is empty; it needs a header line with the columns' names")
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise SourceError(
            f"{table.path}, line 1: the header cannot be taken apart ({error}); check its "
            "quotation marks"
        ) from error
    if not any(names):
        raise SourceError(f"{table.path}, line 1 is blank; the header must be the first line")
    return Header(names, reader.line_num)


def _parquet_header(table: TableOptions) -> Header:
    try:
        return Header(parquet.read_schema(table.path).names, 0)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{table.path} cannot be read as Parquet ({str(error).splitlines()[0]}); write the "
            "file again, or name it *.csv if it is one"
        ) from error


def _lacking(table: TableOptions, column: str, names: list[str]) -> str:
    said = f"{table.path}, line 1: no column {column!r}"
    near = get_close_matches(column, names, 1)
    if near:
        return f"{said}; did you mean {near[0]!r}?"
    other = next((sign for sign in ";\t|," if len(names) == 1 and sign in names[0]), None)
    if other is not None:
        return f"{said}: the line is one field; is delimiter = {json.dumps(other)} meant?"
    return f"{said}; the file has {', '.join(map(repr, names))}"


def _is_wide(encoding: str) -> bool:
    """Whether a line break is more than one byte in this encoding."""
    return len("\n".encode(encoding)) > 1
