"""Arrow schemas and tables of records."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from connectors.arrow import INSTANT, columns_table, schema, to_table
from connectors.records import RECORDS, Account, Commit, Record, Ticket

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("record_type", RECORDS, ids=lambda record_type: record_type.table)
def test_every_record_type_has_a_schema_with_exactly_its_columns(
    record_type: type[Record],
) -> None:
    """The columns are the model's, in the model's order, and keys are never null."""
    columns = schema(record_type)
    assert columns.names == list(record_type.model_fields)
    assert not any(columns.field(name).nullable for name in record_type.key)


def test_types_and_nullability_follow_the_model() -> None:
    """Each annotation has one Arrow type; only `| None` columns take null."""
    columns = schema(Commit)
    assert columns.field("sha") == pa.field("sha", pa.string(), nullable=False)
    assert columns.field("author_name") == pa.field("author_name", pa.string())
    assert columns.field("committed_at") == pa.field("committed_at", INSTANT)
    assert columns.field("parents").type.value_type == pa.string()
    assert not columns.field("parents").nullable
    assert columns.field("is_shallow_boundary") == pa.field(
        "is_shallow_boundary", pa.bool_(), nullable=False
    )


def test_an_annotation_without_an_arrow_type_is_named() -> None:
    """A record model with a column of another type is refused with its name."""

    class Odd(Record):
        table = "odd"
        key = ("odd_id",)
        odd_id: str
        weight: float

    with pytest.raises(TypeError, match=r"Odd\.weight is <class 'float'>"):
        schema(Odd)


def test_records_come_back_from_the_table_as_they_were() -> None:
    """Values, lists, nulls and microseconds survive; no rows still have all columns."""
    ticket = Ticket(
        ticket_id="jira:issue:1",
        ticket_key="EE-1",
        project="EE",
        title="四个排序图",
        labels=["a", "b"],
        created_at=NOON + timedelta(microseconds=123456),
    )
    table = to_table(Ticket, [ticket, ticket.model_copy(update={"labels": []})])
    assert table.schema == schema(Ticket)
    assert Ticket(**table.to_pylist()[0]) == ticket
    assert table.to_pylist()[1]["labels"] == []
    table.validate(full=True)
    assert to_table(Account, []).schema == schema(Account)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
    ],
    ids=str,
)
def test_a_time_at_the_end_of_all_times_stays_one_that_can_be_shown(at: datetime) -> None:
    """Its zone is left out: the hours do not matter there, and no reader knows a year 0."""
    ticket = Ticket(ticket_id="1", ticket_key="EE-1", project="EE", created_at=at)
    assert ticket.created_at == at.replace(tzinfo=UTC)
    row = {**ticket.model_dump(), "created_at": at}
    both = {name: [value, ticket.model_dump()[name]] for name, value in row.items()}
    both["created_at"][1] = NOON
    table = columns_table(Ticket, both)
    assert table["created_at"].to_pylist() == [at.replace(tzinfo=UTC), NOON]
