"""Rows of a declared table as records: ids, children, and a reject for each row that is bad."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import polars as pl
import pyarrow as pa

from connectors.arrow import INSTANT, schema
from connectors.clone_url import is_address, repository_key
from connectors.connector import Parsed
from connectors.files_columns import Column, convert
from connectors.files_options import TableOptions
from connectors.files_reading import LINE, Rows
from connectors.records import Account, Audit, DeploymentStatus, Record, Team, TeamMember

_TYPES: dict[pa.DataType, pl.DataType] = {
    INSTANT: pl.Datetime("us", "UTC"),
    pa.string(): pl.String(),
    pa.bool_(): pl.Boolean(),
    pa.int64(): pl.Int64(),
}
_PROBLEM = "\x00problem"
_COLUMN = "\x00column"


def add_rows(parsed: Parsed, rows: Rows, table: TableOptions, connection: str) -> None:
    """Put the records of one piece of a file, and its rejects, into `parsed`."""
    record_type = table.shape.record_type
    unit = _unit(table)
    for bad in rows.bad:
        parsed.reject(record_type, f"{unit} {bad.line}", bad.problem, bad.excerpt)
    converted = _converted(parsed, rows.frame, table)
    if table.record == "audit_result":
        converted = _assessed(converted)
    converted = _identified(converted, rows.frame, table, connection)
    good = converted.filter(pl.col(_PROBLEM).is_null())
    is_bad = converted[_PROBLEM].is_not_null()
    written = rows.frame.drop(LINE).filter(is_bad).iter_rows()
    for row, fields in zip(converted.filter(is_bad).iter_rows(named=True), written, strict=True):
        excerpt = ", ".join(str(each) for each in fields if each is not None)
        parsed.reject(record_type, _where(table, unit, row), row[_PROBLEM], excerpt)
    for column, kind in table.shape.references.items():
        if column in good.columns:
            good = good.with_columns(_prefixed(connection, kind, column))
    if table.record == "team":
        _add_teams(parsed, good, connection)
        return
    if table.record == "audit_result":
        _add_audits(parsed, good)
    parsed.add_table(record_type, _arrow(record_type, good))
    if table.record == "deployment":
        _add_statuses(parsed, good)


def _unit(table: TableOptions) -> str:
    return "row" if table.is_parquet else "line"


def _where(table: TableOptions, unit: str, row: dict[str, object]) -> str:
    column = str(row[_COLUMN])
    named = table.columns.get(column)
    place = f"{unit} {row[LINE]}"
    return place if named is None else f"{place}, column {named!r}"


def _converted(parsed: Parsed, fields: pl.DataFrame, table: TableOptions) -> pl.DataFrame:
    """Declared columns under their record names, with the first problem of each row."""
    columns: dict[str, Column] = {}
    for position, name in enumerate(table.columns):
        columns[name] = convert(name, fields[str(position)], table)
    for name, value in table.values.items():
        columns[name] = convert(name, pl.repeat(value, fields.height, eager=True), table)
    problems, places = [], []
    for name, column in columns.items():
        problem = column.problems
        if name in table.shape.required:
            problem = _or_missing(problem, column.values)
        problems.append(problem.alias(f"problem {name}"))
        places.append(pl.when(pl.col(f"problem {name}").is_not_null()).then(pl.lit(name)))
        if column.ambiguous is not None and (count := int(column.ambiguous.sum())):
            parsed.mended[table.shape.record_type.table] += count
    judged = pl.DataFrame(problems).select(
        pl.coalesce(pl.all()).alias(_PROBLEM), pl.coalesce(places).alias(_COLUMN)
    )
    values = [column.values.alias(name) for name, column in columns.items()]
    return pl.DataFrame([*values, fields[LINE]]).hstack(judged)


def _or_missing(problems: pl.Series, values: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"problem": problems, "value": values})
    missing = pl.when(pl.col("value").is_null()).then(pl.lit("is empty, and must not be"))
    return frame.select(pl.coalesce("problem", missing)).to_series()


def _identified(
    frame: pl.DataFrame, fields: pl.DataFrame, table: TableOptions, connection: str
) -> pl.DataFrame:
    """The id column; a row without id, or with the id of an earlier row, is a problem."""
    shape = table.shape
    name = shape.id_column
    repository = "repository_key"
    if repository in frame.columns:
        frame = frame.with_columns(_repository_keys(frame[repository]))
    if table.record == "service":
        frame = _with_entity_refs(frame)
    elif table.key:
        frame = frame.with_columns(_hashes(fields, table).alias(name))
    elif shape.natural_key and name not in frame.columns:
        frame = frame.with_columns(_digests(frame, shape.natural_key).alias(name))
    missing = pl.col(_PROBLEM).is_null() & pl.col(name).is_null()
    frame = frame.with_columns(
        pl.when(missing).then(pl.lit("is empty, and must not be")).otherwise(_PROBLEM)
        .alias(_PROBLEM),
        pl.when(missing).then(pl.lit(name)).otherwise(_COLUMN).alias(_COLUMN),
    )  # fmt: skip
    if table.record != "team":
        frame = _without_repeats(frame, name, _unit(table))
    return (
        frame.with_columns(_prefixed(connection, shape.id_kind, name)) if shape.id_kind else frame
    )


def _without_repeats(frame: pl.DataFrame, name: str, unit: str) -> pl.DataFrame:
    """Of the rows with one id the first is kept; the others say where it stands."""
    is_good = pl.col(_PROBLEM).is_null()
    first = pl.when(is_good).then(pl.col(LINE)).min().over(name)
    again = is_good & (pl.col(LINE) > first)
    said = pl.concat_str(pl.lit(f"is the same row as {unit} "), first, pl.lit(": one id, one row"))
    return frame.with_columns(
        pl.when(again).then(said).otherwise(_PROBLEM).alias(_PROBLEM),
        pl.when(again).then(pl.lit(name)).otherwise(_COLUMN).alias(_COLUMN),
    )


def _hashes(fields: pl.DataFrame, table: TableOptions) -> pl.Series:
    """An id from the key columns as they are written, the same on every machine and version."""
    positions = [str(list(table.columns).index(name)) for name in table.key]
    written = fields.select(
        pl.concat_str(
            [
                pl.col(position).cast(pl.String).fill_null("").str.strip_chars()
                for position in positions
            ],
            separator="\x1f",
        )
    ).to_series()
    return _digested(written)


def _digests(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """An id from the values of the columns there are."""
    there = [pl.col(name).fill_null("") for name in columns if name in frame.columns]
    return _digested(frame.select(pl.concat_str(there, separator="\x1f")).to_series())


def _digested(written: pl.Series) -> pl.Series:
    return pl.Series(
        [hashlib.sha256((text or "").encode()).hexdigest()[:20] for text in written],
        dtype=pl.String,
    )


def _prefixed(connection: str, kind: str, column: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{connection}:{kind}:"), pl.col(column)).alias(column)


def _repository_keys(texts: pl.Series) -> pl.Series:
    """Clone addresses become keys; what already is one is only lower-cased."""
    keys = {
        text: repository_key(text) if is_address(text) else text.strip("/").lower()
        for text in texts.drop_nulls().unique()
    }
    return texts.replace_strict(keys, default=None, return_dtype=pl.String).alias(texts.name)


def _with_entity_refs(frame: pl.DataFrame) -> pl.DataFrame:
    """Services are components in the default namespace where the file does not say otherwise."""
    if "kind" not in frame.columns:
        frame = frame.with_columns(kind=pl.lit("component"))
    frame = frame.with_columns(pl.col("kind").fill_null("component").str.to_lowercase())
    derived = pl.concat_str("kind", pl.lit(":default/"), pl.col("name").str.to_lowercase())
    if "entity_ref" in frame.columns:
        derived = pl.coalesce(pl.col("entity_ref").str.to_lowercase(), derived)
    return frame.with_columns(entity_ref=derived)


def _arrow(record_type: type[Record], frame: pl.DataFrame) -> pa.Table:
    """The frame with every column of the record type; columns nobody declared have defaults."""
    wanted = schema(record_type)
    missing = {
        column.name: _default(record_type, column)
        for column in wanted
        if column.name not in frame.columns
    }
    # A declared column may be empty in a row where the model has a default and takes no null.
    filled = [
        pl.col(column.name).fill_null(record_type.model_fields[column.name].default)
        for column in wanted
        if not column.nullable
        and column.name in frame.columns
        and _has_plain_default(record_type, column)
    ]
    table = frame.with_columns(**missing).with_columns(filled).select(wanted.names).to_arrow()
    return cast("pa.Table", table.cast(wanted))


def _has_plain_default(record_type: type[Record], column: pa.Field) -> bool:
    return isinstance(record_type.model_fields[column.name].default, str | bool)


def _default(record_type: type[Record], column: pa.Field) -> pl.Expr:
    if pa.types.is_list(column.type):
        return pl.lit([], pl.List(pl.String))
    value = record_type.model_fields[column.name].default
    return pl.lit(value if isinstance(value, str | bool) else None, _TYPES[column.type])


def _add_statuses(parsed: Parsed, frame: pl.DataFrame) -> None:
    """One status an attempt: what it came to, when it finished."""
    state = pl.col("state") if "state" in frame.columns else pl.lit(None, pl.String)
    at = (
        pl.coalesce("finished_at", "created_at")
        if "finished_at" in frame.columns
        else pl.col("created_at")
    )
    if "finished_at" in frame.columns:
        # A finish column that is empty means that the deployment has not come to its end.
        state = state.fill_null(pl.when(pl.col("finished_at").is_null()).then(pl.lit("running")))
    statuses = frame.select(
        "attempt_id",
        status_id=pl.lit("last"),
        state=state.fill_null("succeeded"),
        at=at,
    )
    parsed.add_table(DeploymentStatus, _arrow(DeploymentStatus, statuses))
    for attempt_id in statuses["attempt_id"]:
        parsed.whole(DeploymentStatus, attempt_id)


def _assessed(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of an audit that say of whom and what; others are problems."""

    def lacks(*names: str) -> pl.Expr:
        there = [pl.col(name).is_null() for name in names if name in frame.columns]
        return pl.all_horizontal(there) if there else pl.lit(value=True)

    scope = pl.col("scope").list.len() if "scope" in frame.columns else pl.lit(0)
    of_nobody = lacks("team", "resource") & (scope == 0)
    of_nothing = lacks("observed", "is_pass", "is_inconsistent")
    told = (
        pl.when(of_nobody)
        .then(pl.lit("names no team and no resource, and its audit has no scope"))
        .when(of_nothing)
        .then(pl.lit("says neither what was observed nor whether it passed"))
    )
    return frame.with_columns(pl.coalesce(_PROBLEM, told).alias(_PROBLEM))


def _add_audits(parsed: Parsed, frame: pl.DataFrame) -> None:
    """One audit an id: its latest time, and every team its rows name as scope."""
    there = [name for name in ("audit_name", "audit_url", "scope") if name in frame.columns]
    audits = frame.group_by("audit_id", maintain_order=True).agg(
        pl.col("performed_at").max(), *(pl.col(name).drop_nulls() for name in there)
    )
    for row in audits.iter_rows(named=True):
        names, urls = row.get("audit_name") or (), row.get("audit_url") or ()
        parsed.add(
            Audit(
                audit_id=row["audit_id"],
                name=names[0] if names else row["audit_id"].rpartition(":")[2],
                teams=sorted({team for teams in row.get("scope") or () for team in teams}),
                performed_at=row["performed_at"],
                url=urls[0] if urls else None,
            )
        )


def _add_teams(parsed: Parsed, frame: pl.DataFrame, connection: str) -> None:
    """Teams, their members as whole sets, and accounts for members given by e-mail or login."""
    teams: dict[str, Team] = {}
    members: dict[str, dict[str, TeamMember]] = defaultdict(dict)
    accounts: dict[str, Account] = {}
    for row in frame.iter_rows(named=True):
        team = Team(team_id=row["team_id"], name=row["name"], parent=row.get("parent"))
        teams.setdefault(team.team_id, team)
        for account in _member_accounts(row, connection):
            accounts.setdefault(account.account_id, account)
            members[team.team_id][account.account_id] = TeamMember(
                team_id=team.team_id, account_id=account.account_id, role=row.get("role")
            )
    _add_all(parsed, list(teams.values()))
    _add_all(parsed, [account for account in accounts.values() if account.email or account.login])
    for team_id in teams:
        _add_all(parsed, list(members[team_id].values()))
        parsed.whole(TeamMember, team_id)


def _member_accounts(row: dict[str, str | None], connection: str) -> list[Account]:
    found = []
    if row.get("member"):
        found.append(Account(account_id=f"{connection}:account:{row['member']}"))
    if email := row.get("member_email"):
        found.append(Account(account_id=f"{connection}:member:{email.lower()}", email=email))
    elif login := row.get("member_login"):
        found.append(Account(account_id=f"{connection}:member:{login}", login=login))
    return found


def _add_all(parsed: Parsed, records: Sequence[Record]) -> None:
    for record in records:
        parsed.add(record)
