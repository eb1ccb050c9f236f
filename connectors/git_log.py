"""What `git log` prints: the formats asked for, pages cut at record ends, and bulk parsing.

Fields end in NUL, the one byte that no name, message or path can hold, and every record has the
same number of them; so nothing that people write into a commit can shift a column.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa

from connectors.arrow import schema
from connectors.connector import Line, Parsed
from connectors.records import Commit, CommitPath, Record

_FIELDS = ("%H", "%P", "%aN", "%aE", "%at", "%cE", "%ct", "%ae", "%s", "%b")
COMMIT_LOG = ("-z", f"--format={'%x00'.join(_FIELDS)}")
# An empty field begins a record, because neither a commit id nor a path is ever empty.
PATH_LOG = (
    *("-z", "--raw", "--no-renames", "--no-abbrev", "--diff-merges=first-parent", "--root"),
    *("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--format=%x00%H"),
)
PAGE_BYTES = 8_000_000
_TARGET_BYTES = 7_000_000
_FIRST_DATE = datetime(1971, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)
_MICROSECONDS = 1_000_000
_ID = r"[0-9a-f]{7,64}"
_LARGEST_SECONDS = 2**40


def commit_pages(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Whole records of the commit log in pages of at most `PAGE_BYTES`, each with its count.

    A single record larger than a page stays whole.
    """
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= _TARGET_BYTES:
            ends = _record_ends(held)
            if len(ends):
                yield bytes(held[: ends[-1]]), len(ends)
                del held[: ends[-1]]
    if held:
        yield bytes(held), len(_record_ends(held))


def path_pages(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Whole records of the path log in pages, each with its count of commits.

    Cuts where an empty field begins a record; a commit of very many paths stays whole.
    """
    held = bytearray()
    for chunk in chunks:
        held += chunk
        cut = held.rfind(b"\0\0") + 1 if len(held) >= _TARGET_BYTES else 0
        if cut > 1:
            page = bytes(held[:cut])
            yield page, _commits_in(page)
            del held[:cut]
    if held:
        yield bytes(held), _commits_in(held)


_COMMIT_NAME = "^[0-9a-f]{40}(?:[0-9a-f]{24})?$"


def parse_commits(line: Line) -> Parsed:
    """The commits of one page of the log, in bulk.

    An impossible date (before 1971, or more than a day after it was received) becomes null and is
    counted as mended, and so is each sign that is not UTF-8; the commit stays, for its ancestry.
    """
    parsed = Parsed()
    if not line.body:
        return parsed
    text, mended = _text(line.body)
    width = len(_FIELDS)
    fields = pl.Series([text.removesuffix("\0")], dtype=pl.String).str.split("\0").explode()
    whole = len(fields) // width * width
    if whole != len(fields):
        parsed.reject(
            Commit,
            f"record {whole // width + 1}",
            f"the log ends within a record, after {len(fields) - whole} of {width} fields",
            fields[whole],
        )
        fields = fields.head(whole)
    raw = pl.DataFrame(
        {name: fields.gather_every(width, place) for place, name in enumerate(_FIELDS)}
    )
    boundary = line.attributes.get("shallow_boundary", "").split()
    frame = raw.select(
        pl.lit(line.attributes["repository_key"]).alias("repository_key"),
        pl.col("%H").alias("sha"),
        pl.when(pl.col("%P") == "")
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(pl.col("%P").str.split(" "))
        .alias("parents"),
        _or_null("%aN").alias("author_name"),
        _or_null("%aE").alias("author_email"),
        _instant("%at", line.requested_at).alias("authored_at"),
        _or_null("%cE").alias("committer_email"),
        _instant("%ct", line.requested_at).alias("committed_at"),
        _or_null("%ae").alias("written_email"),
        pl.col("%s").alias("subject"),
        pl.col("%H").is_in(boundary).alias("is_shallow_boundary"),
    )
    mended += frame["authored_at"].null_count() + frame["committed_at"].null_count()
    frame = frame.with_columns(
        _ids_after("cherry picked from commit ", raw["%b"]).alias("cherry_picked_from"),
        _ids_after("This reverts commit ", raw["%b"]).alias("reverts"),
    )
    parsed.add_table(Commit, _table(frame, Commit))
    if mended:
        parsed.mended[Commit.table] += mended
    return parsed


def parse_paths(line: Line) -> Parsed:
    """The paths of one page of the path log, in bulk."""
    parsed = Parsed()
    if not line.body:
        return parsed
    text, mended = _text(line.body)
    tokens = pl.Series([text.removesuffix("\0")], dtype=pl.String).str.split("\0").explode()
    record = (tokens == "").cum_sum()
    frame = pl.DataFrame({"record": record, "token": tokens}).with_columns(
        place=pl.int_range(pl.len()).over("record"),
        sha=pl.col("token").get(1, null_on_oob=True).over("record"),
    )
    nameless = frame.filter(
        (pl.col("place") == 0) & ~pl.col("sha").str.contains(_COMMIT_NAME).fill_null(value=False)
    )
    for number, token in nameless.select("record", "token").rows():
        parsed.reject(CommitPath, f"record {number}", "no commit is named here", token)
    if not nameless.is_empty():
        frame = frame.filter(~pl.col("record").is_in(nameless["record"].to_list()))
    # Places: 0 the empty field, 1 the commit, then modes and path by turns.
    paths = (
        frame.filter((pl.col("place") >= 3) & (pl.col("place") % 2 == 1))
        .select(
            pl.lit(line.attributes["repository_key"]).alias("repository_key"),
            "sha",
            pl.col("token").alias("path"),
        )
        .unique(maintain_order=True)
    )
    parsed.add_table(CommitPath, _table(paths, CommitPath))
    if mended:
        parsed.mended[CommitPath.table] += mended
    return parsed


def possible_time(seconds: str, requested_at: datetime) -> datetime | None:
    """A time git prints as seconds since 1970, or None where it cannot be true."""
    if not seconds.isdigit() or int(seconds) > _LARGEST_SECONDS:
        return None
    limit = (requested_at + _SKEW).timestamp()
    if not _FIRST_DATE.timestamp() <= int(seconds) <= limit:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _record_ends(held: bytes | bytearray) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Offsets just behind each whole record."""
    ends = np.flatnonzero(np.frombuffer(bytes(held), dtype=np.uint8) == 0)
    return ends[len(_FIELDS) - 1 :: len(_FIELDS)] + 1


def _commits_in(page: bytes | bytearray) -> int:
    return page.count(b"\0\0") + page.startswith(b"\0")


def _text(body: bytes) -> tuple[str, int]:
    """The body as text and the number of signs in it that were not UTF-8."""
    try:
        return body.decode("utf-8"), 0
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        return text, text.count("\ufffd") - body.count("\ufffd".encode())


def _or_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _instant(name: str, requested_at: datetime) -> pl.Expr:
    seconds = pl.col(name).cast(pl.Int64, strict=False)
    limit = int((requested_at + _SKEW).timestamp())
    is_possible = seconds.is_between(int(_FIRST_DATE.timestamp()), limit)
    return pl.when(is_possible).then(seconds * _MICROSECONDS).cast(pl.Datetime("us", "UTC"))


def _ids_after(words: str, bodies: pl.Series) -> pl.Series:
    """The commit ids that follow these words, each once; few bodies have the words at all."""
    has_words = bodies.str.contains(words, literal=True)
    found = (
        bodies.filter(has_words)
        .str.extract_all(words + _ID)
        .list.eval(pl.element().str.slice(len(words)))
        .list.unique(maintain_order=True)
    )
    # Back to all rows: the n-th body with the words takes the n-th list, the others an empty one.
    spread = pl.concat([found, pl.Series([[]], dtype=pl.List(pl.String))])
    places = has_words.cum_sum().cast(pl.Int64) - 1
    return spread.gather(places.zip_with(has_words, pl.Series([len(found)], dtype=pl.Int64)))


def _table(frame: pl.DataFrame, record_type: type[Record]) -> pa.Table:
    """The frame with the record's Arrow schema; columns that git does not know are null."""
    columns = schema(record_type)
    known = frame.to_arrow()
    return pa.Table.from_arrays(
        [
            known.column(column.name).cast(column.type)
            if column.name in known.column_names
            else pa.nulls(known.num_rows, column.type)
            for column in columns
        ],
        schema=columns,
    )
