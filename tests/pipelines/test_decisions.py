"""What people decide: kept whole or not at all, the last one in force, whatever happens beside."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.connector import Line
from connectors.records import Decision
from pipelines import decisions
from pipelines.decisions import Choice, DecisionError
from pipelines.files import DataFolder
from pipelines.landing import Landing, LandingError
from pipelines.operations import build, load_records
from pipelines.reader import connect
from pipelines.settings import Settings, SettingsError, parse
from tests.pipelines.command_line import leadline, work_in
from tests.pipelines.stories import START, tell, ticket

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def decide(data: Path, *choices: Choice, minutes: int = 0, author: str = "Ann") -> list[Decision]:
    """Decide some minutes later."""
    return decisions.record(data, choices, author=author, now=NOW + timedelta(minutes=minutes))


def classed(subject: str, value: str) -> Choice:
    return Choice("ticket_class", subject, value)


def built(data: Path) -> list[tuple[object, ...]]:
    """What is in force in a build of what was decided so far."""
    settings = Settings(data=data)
    load_records(settings)
    with connect(build(settings, now=lambda: NOW).path) as connection:
        return connection.execute(
            "select kind, subject, value, author, decided_at from decision order by 1, 2"
        ).fetchall()


def test_a_decision_counts_from_the_next_build_with_author_and_time(tmp_path: Path) -> None:
    """It is a batch like any other, and no source that could be down."""
    decide(tmp_path, classed("OPS-1", "build"))
    assert built(tmp_path) == [("ticket_class", "OPS-1", "build", "Ann", NOW)]
    with Landing(DataFolder(tmp_path).landing) as landing:
        assert landing.status() == []


def test_the_later_decision_wins_and_the_history_stays(tmp_path: Path) -> None:
    """Changed, taken back, and made again; each step shows in the next build."""
    for minutes, value in enumerate(("build", "request", "withdrawn")):
        decide(tmp_path, classed("OPS-1", value), minutes=minutes, author=f"Person {minutes}")
    assert built(tmp_path) == []
    decide(tmp_path, classed("OPS-1", "incident"), minutes=9)
    assert [row[2] for row in built(tmp_path)] == ["incident"]
    values = [each.value for each in decisions.history(tmp_path)]
    assert values == ["build", "request", "withdrawn", "incident"]


def test_a_clock_that_was_set_back_does_not_bring_old_decisions_back(tmp_path: Path) -> None:
    """The order in which they were appended counts, not what the clock said."""
    decide(tmp_path, classed("OPS-1", "build"), minutes=600)
    decide(tmp_path, classed("OPS-1", "request"), minutes=0)
    assert [row[2] for row in built(tmp_path)] == ["request"]
    assert decisions.in_force(decisions.history(tmp_path), "ticket_class")["OPS-1"].value == (
        "request"
    )


def test_the_same_subject_twice_at_once(tmp_path: Path) -> None:
    """The last of one call wins too."""
    decide(tmp_path, classed("OPS-1", "build"), classed("OPS-1", "overhead"))
    assert [row[2] for row in built(tmp_path)] == ["overhead"]


def test_the_same_call_again_changes_nothing(tmp_path: Path) -> None:
    """Repeated after an error of which nobody knows whether it came before or after."""
    first = decide(tmp_path, classed("OPS-1", "build"))
    assert decide(tmp_path, classed("OPS-1", "build")) == first
    assert len(built(tmp_path)) == 1


def test_all_or_none(tmp_path: Path) -> None:
    """One that cannot be kept keeps the others out."""
    with pytest.raises(DecisionError, match="no value of ticket_class"):
        decide(tmp_path, classed("OPS-1", "build"), classed("OPS-2", "holiday"))
    assert decisions.history(tmp_path) == []
    assert decide(tmp_path) == []


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice("weather", "x", "y"), "no decision of kind"),
        (classed(" \n", "build"), "the subject of a decision is empty"),
        (classed("x" * 1001, "build"), "longer than 1,000 characters"),
        (classed("\x1b[2J", "build"), "cannot be shown"),
        (classed("a\x00b", "build"), "cannot be shown"),
        (classed("\ud800", "build"), "cannot be shown"),
        (Choice("exception", "x", ""), "the value of a decision is empty"),
    ],
)
def test_what_cannot_be_kept_is_said(tmp_path: Path, choice: Choice, message: str) -> None:
    """Nothing reaches landing that could not be read or shown again."""
    with pytest.raises(DecisionError, match=message):
        decide(tmp_path, choice)
    assert decisions.history(tmp_path) == []


@pytest.mark.parametrize(
    "subject",
    ["'; drop table decision; --", "Ünï ↔ 漢字 🜨", '{"kind": "identity"}', "=1+1", "<b>x</b>\n"],
)
def test_hostile_text_comes_back_as_it_was(tmp_path: Path, subject: str) -> None:
    """Quotes, markup, JSON and formulas are only text."""
    decide(tmp_path, Choice("exception", subject, subject), author=subject)
    assert built(tmp_path) == [("exception", subject, subject, subject, NOW)]


def test_without_an_author_it_is_the_machines_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And somebody, where the machine has no name for its user."""
    monkeypatch.setenv("LOGNAME", "captain")
    (made,) = decisions.record(tmp_path, [classed("OPS-1", "build")], author=None, now=NOW)
    assert made.author == "captain"

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert decisions.machine_user() == "unknown user"


def test_a_sync_that_runs_does_not_hold_a_decision_up(tmp_path: Path) -> None:
    """Pulling holds its connection, not the store."""
    with Landing(DataFolder(tmp_path).landing) as landing, landing.puller("forge", NOW):
        decide(tmp_path, classed("OPS-1", "build"))
    assert len(decisions.history(tmp_path)) == 1


def test_a_locked_store_is_waited_for(tmp_path: Path) -> None:
    """A commit of a large batch takes its time."""
    with Landing(DataFolder(tmp_path).landing) as landing:
        held = threading.Event()

        def hold() -> None:
            with landing.transaction():
                held.set()
                time.sleep(0.4)

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        decide(tmp_path, classed("OPS-1", "build"))
        holder.join()
    assert len(decisions.history(tmp_path)) == 1


def test_a_store_that_stays_locked_is_said(tmp_path: Path) -> None:
    """Nothing is kept, and the message says so."""
    path = DataFolder(tmp_path).landing
    with Landing(path) as landing, Landing(path) as other, other.transaction():
        landing._connection.execute("pragma busy_timeout = 20")
        with pytest.raises(LandingError, match=r"not kept.*locked.*try again"):
            decisions.append(landing, [classed("OPS-1", "build")], author="Ann", now=NOW)
    assert decisions.history(tmp_path) == []


def test_many_decide_at_once(tmp_path: Path) -> None:
    """Nobody's decision is lost."""
    threads = [
        threading.Thread(target=decide, args=(tmp_path, classed(f"OPS-{i}", "build")))
        for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions.in_force(decisions.history(tmp_path), "ticket_class")) == 12


_PAIRS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.decisions import Choice, record

for number in range(10_000):
    pair = [Choice("exception", f"{number} {side}", "x") for side in ("left", "right")]
    record(Path(sys.argv[1]), pair, author="Ann", now=datetime.now(UTC))
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_whole_decisions(tmp_path: Path) -> None:
    """Pairs are kept together, and what was acknowledged is there."""
    chance = random.Random(7)
    for _ in range(4):
        data = tmp_path / str(chance.random())
        child = subprocess.Popen(
            [sys.executable, "-c", _PAIRS, str(data)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        acknowledged = int(child.stdout.readline())
        time.sleep(chance.random() / 10)
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.strip())])
        child.wait()
        child.stdout.close()
        kept = [each.subject for each in decisions.history(data)]
        assert len(kept) >= 2 * (acknowledged + 1)
        assert kept == [f"{n} {side}" for n in range(len(kept) // 2) for side in ("left", "right")]


def test_a_page_that_is_no_decision_is_a_reject(tmp_path: Path) -> None:
    """A damaged one is counted, and the others count."""
    decide(tmp_path, classed("OPS-1", "build"), classed("OPS-2", "build"))
    path = DataFolder(tmp_path).landing
    broken = decisions.Decisions().parse(_line(b'{"kind": 1}'))
    assert [reject.table for reject in broken.rejects] == ["decision"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from batch").fetchone() == (1,)


def _line(body: bytes) -> Line:
    return Line("local", "decisions", {}, "local:x", NOW, body)


def test_settings_may_not_name_a_connection_local(tmp_path: Path) -> None:
    """What people decide is never mixed with what a source says."""
    with pytest.raises(SettingsError, match="built-in connection of what people decide"):
        parse(b'[connections.local]\nkind = "git"\n', tmp_path / "leadline.toml")
    with pytest.raises(SettingsError, match='no connector of kind "local"'):
        parse(b'[connections.mine]\nkind = "local"\n', tmp_path / "leadline.toml")


def test_what_another_connection_calls_a_decision_is_none(tmp_path: Path) -> None:
    """Only the built-in connection decides."""
    made = Decision(
        decision_id="x", kind="ticket_class", subject="OPS-1", value="build", author="x", at=START
    )
    story = tell(tmp_path, made)
    assert story.ask("select count(*) from decision") == [(0,)]


def test_correct_lists_changes_and_withdraws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a correction over the command line."""
    data = work_in(tmp_path, monkeypatch, '[operation]\nauthor = "The team"\n')
    assert "no ticket is corrected" in leadline("correct").stdout
    assert leadline("correct", "OPS-1", "build").exit_code == 0
    assert leadline("correct", "OPS-2", "request", "--author", "Bob").exit_code == 0
    listed = leadline("correct").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [["OPS-1", "build"], ["OPS-2", "request"]]
    assert listed[0].endswith("The team")
    assert listed[1].endswith("Bob")
    assert leadline("correct", "OPS-2", "--withdraw").exit_code == 0
    assert [each.value for each in decisions.history(data)] == ["build", "request", "withdrawn"]
    assert len(leadline("correct").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("OPS-1",), "say what OPS-1 is"),
        (("OPS-1", "build", "--withdraw"), "say what OPS-1 is"),
        (("OPS-1", "holiday"), "holiday"),
        (("\x1b[2J", "build"), "cannot be shown"),
    ],
)
def test_correct_refuses_what_makes_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """Wrong use, exit code 2, nothing kept."""
    data = work_in(tmp_path, monkeypatch, "")
    told = leadline("correct", *arguments)
    assert told.exit_code == 2
    assert message in told.output
    assert decisions.history(data) == []


def test_correct_knows_the_tickets_of_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is written as its source does; one that is not there yet is said."""
    tell(tmp_path, ticket("OPS-7", at=1)).publish()
    data = work_in(tmp_path, monkeypatch, f'data = "{tmp_path / "data"}"\n')
    assert leadline("correct", "ops-7", "build").stdout.startswith("OPS-7: build")
    told = leadline("correct", "OPS-8", "build")
    assert told.exit_code == 0
    assert "has no ticket OPS-8" in told.stderr
    assert [each.subject for each in decisions.history(tmp_path / "data")] == ["OPS-7", "OPS-8"]
    assert not data.exists()
