"""`leadline confirm`: from the list of suggestions to one person in the next build."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.records import Account
from pipelines import decisions
from pipelines.files import DataFolder
from pipelines.landing import Landing
from pipelines.load import load
from tests.pipelines.command_line import leadline, work_in
from tests.pipelines.stories import tell

PEOPLE = [
    ("forge:1", "ann", "Ann Smith"),
    ("jira:1", "a1", "Ann Smith"),
    ("forge:2", "bob", "Bob Li\x1b[2J"),
    ("jira:2", "b1", "Bob Lin"),
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build with two suggestions."""
    tell(
        tmp_path, *(Account(account_id=i, login=login, name=n) for i, login, n in PEOPLE)
    ).publish()
    work_in(tmp_path, monkeypatch, 'data = "data"\n[operation]\nauthor = "The team"\n')
    return tmp_path / "data"


def codes() -> list[str]:
    """Codes of what waits."""
    told = leadline("confirm")
    assert told.exit_code == 0, told.output
    return [line.split()[0] for line in told.stdout.splitlines() if " = " in line]


def test_the_list_shows_what_waits_and_loses_what_is_decided(data: Path) -> None:
    """Accepted, rejected and taken back without a build in between; nobody is asked twice."""
    first, second = codes()
    assert "\x1b" not in leadline("confirm").stdout
    assert leadline("confirm", first).stdout.startswith("accepted  Ann Smith = Ann Smith")
    assert codes() == [second]
    assert leadline("confirm", second[:5], "--reject", "--author", "Eve").exit_code == 0
    assert codes() == []
    assert "2 decisions made since the build" in leadline("confirm").stdout
    assert leadline("confirm", first, "--withdraw").exit_code == 0
    assert codes() == [first]
    told = [(each.subject, each.value, each.author) for each in decisions.history(data)]
    assert told == [
        ("forge:1 = jira:1", "accepted", "The team"),
        ("forge:2 = jira:2", "rejected", "Eve"),
        ("forge:1 = jira:1", "withdrawn", "The team"),
    ]


def test_all_from_a_score_on_at_once(data: Path) -> None:
    """One call, one transaction."""
    assert leadline("confirm", "--from-score", "100").exit_code == 0
    assert [each.subject for each in decisions.history(data)] == ["forge:1 = jira:1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("zzzz",), "no suggestion has the code zzzz"),
        (("",), "2 suggestions have the code"),
        (("abc", "--reject", "--withdraw"), "exclude each other"),
    ],
)
def test_what_names_nothing_is_refused(
    data: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Wrong use, nothing kept."""
    told = leadline("confirm", *arguments)
    assert told.exit_code == 2
    assert message in told.output
    assert decisions.history(data) == []


def test_accepted_is_one_person_in_the_next_build_and_two_again_when_taken_back(
    tmp_path: Path,
) -> None:
    """The way through landing, records and two builds."""
    people = [Account(account_id=i, login=login, name=n) for i, login, n in PEOPLE[:2]]

    def told(name: str, *values: str) -> list[tuple[object, ...]]:
        folder = DataFolder(tmp_path / name / "data").create()
        for minute, value in enumerate(values):
            choice = decisions.Choice("identity", "forge:1 = jira:1", value)
            moment = datetime(2026, 11, 24, 9, minute, tzinfo=UTC)
            decisions.record(folder.path, [choice], author="Ann", now=moment)
        with Landing(folder.landing) as landing:
            load(landing, folder.records, temporary=folder.temporary)
        return tell(tmp_path / name, people).ask(
            "select count(distinct person_id), count(distinct likely_person_id),"
            " (select string_agg(state) from identity_suggestion) from account_person"
        )

    assert told("first") == [(2, 1, "pending")]
    assert told("second", "accepted") == [(1, 1, "accepted")]
    assert told("third", "accepted", "withdrawn") == [(2, 1, "pending")]
    assert told("fourth", "accepted", "rejected") == [(2, 2, "rejected")]
