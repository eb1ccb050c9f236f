"""The tables of the verdict over hand-made measures: states, words, and what is missing."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from connectors.records import Account
from pipelines.models.marts.verdict import model
from pipelines.models.signals.threshold_forecast import model as forecast
from pipelines.thresholds import (
    CONFIGURATION,
    NEEDS,
    REQUESTS,
    SETUP_TIME,
    SHARED_INFRASTRUCTURE,
    TITLES,
)
from tests.pipelines.stories import commit, line, live, main_at, repository, request, tell
from tests.pipelines.threshold_tables import (
    at,
    evaluations,
    history,
    measured,
    measures,
    on,
    variants,
    weeks,
)

NOTHING = "Undecided, 4 of 4 thresholds have no state: none of them can be judged yet"


def told(
    rows: pl.DataFrame,
    count: int,
    *,
    others: pl.DataFrame | None = None,
    weekly: pl.DataFrame | None = None,
    engineers: int | None = 42,
) -> dict[str, pl.DataFrame]:
    """Both tables for so many evaluations."""
    asked = evaluations(count)
    own = ["threshold", "evaluated_at", "value", "threshold_value", "measured_state"]
    weekly = weeks(REQUESTS, [], on(0)) if weekly is None else weekly
    forecasts = forecast(asked, rows.select(own), weekly)["threshold_forecast"]
    return model(
        asked,
        rows,
        (variants() if others is None else others).select(
            "threshold", "evaluated_at", "variant", "state"
        ),
        forecasts.drop("slope", "is_likely").rename({"reason": "no_forecast"}),
        asked.select("evaluated_at", engineers=pl.lit(engineers, pl.Int64)),
    )


def last(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """The verdict of today."""
    return tables["verdict"].sort("evaluated_at").row(-1, named=True)


def state(tables: dict[str, pl.DataFrame], threshold: str) -> dict[str, Any]:
    """Today's state of a threshold."""
    rows = tables["threshold_state"].filter(threshold=threshold).sort("evaluated_at")
    return rows.row(-1, named=True)


def test_crossed_thresholds_are_named() -> None:
    """The sentence says which, and both tables agree."""
    found = told(history(setup_time="▲▲", shared_infrastructure="✓✓", requests="▲▲"), 2)
    verdict = last(found)
    assert verdict["answer"] == "platform engineering"
    assert verdict["sentence"] == (
        "Platform engineering is indicated, 2 of 4 thresholds are crossed: setting up a new "
        "service takes more than a day and the infrastructure team spends more time on requests "
        "than on building"
    )
    assert verdict["crossed"] == [SETUP_TIME, REQUESTS]
    assert verdict["insufficient"] == [CONFIGURATION]
    assert verdict["missing"] == [f"Configuration across teams: {NEEDS[CONFIGURATION]}"]
    assert verdict["since_on"] == on(1)
    assert verdict["next_evaluation_on"] == on(2)
    assert state(found, SETUP_TIME)["value"] == 0.7


def test_all_four_need_no_list() -> None:
    """The cards below say which; the sentence stays short."""
    crossed = dict.fromkeys((SETUP_TIME, SHARED_INFRASTRUCTURE, CONFIGURATION, REQUESTS), "▲▲")
    verdict = last(told(history(**crossed), 2))
    assert verdict["sentence"] == (
        "Platform engineering is indicated: all four thresholds are crossed"
    )


def test_headcount_alone_is_said() -> None:
    """Nobody should build a platform for a number of people without knowing it is only that."""
    verdict = last(told(history(shared_infrastructure="▲", requests="✓"), 1))
    assert verdict["sentence"] == (
        "Platform engineering is indicated by headcount only, 1 of 4 thresholds is crossed: 50 or "
        "more engineers share infrastructure"
    )
    assert verdict["is_headcount_only"]


def test_all_clear_is_devops() -> None:
    """Clear, and not applicable with its evidence."""
    rows = history(setup_time="–", shared_infrastructure="✓", configuration="✓", requests="✓")
    found = told(rows, 1)
    assert last(found)["sentence"] == (
        "DevOps is still the right answer: none of the 4 thresholds is crossed"
    )
    assert last(found)["warnings"] == []
    assert state(found, SETUP_TIME)["state"] == "not applicable"
    assert state(found, SETUP_TIME)["evidence"] == "nothing of the kind here"


def test_devops_with_warnings() -> None:
    """What is on its way is told with its weeks; a fixed finding as what it is."""
    rising = [0.30 + 0.005 * week + (0.01 if week % 2 else -0.01) for week in range(30)]
    found = told(
        history(setup_time="✓✓", shared_infrastructure="✓✓", configuration="✓↗", requests="✓✓"),
        2,
        weekly=weeks(REQUESTS, rising, on(1)),
    )
    verdict = last(found)
    assert verdict["answer"] == "devops"
    assert verdict["sentence"].endswith(
        "is crossed, 1 is on its way, and an audit's finding was fixed"
    )
    fixed, coming = verdict["warnings"]
    assert fixed == "Configuration across teams: an audit's finding was fixed since."
    assert coming.startswith("Requests against building is on its way: crossed in about 1")
    assert "(90 %: " in coming
    assert state(found, REQUESTS)["state"] == "trending"
    assert state(found, REQUESTS)["probability"] >= 0.8


def test_nothing_measured_is_undecided_and_says_what_to_connect() -> None:
    """Of nothing, only the last evaluation is told, with what all four need."""
    found = told(history(), 5)
    assert found["verdict"].height == 1
    verdict = last(found)
    assert verdict["answer"] == "undecided"
    assert verdict["sentence"] == NOTHING
    assert verdict["missing"] == [f"{TITLES[each]}: {NEEDS[each]}" for each in TITLES]
    assert set(found["threshold_state"]["state"]) == {"insufficient"}
    assert found["threshold_state"]["value"].null_count() == 4


def test_undecided_says_why() -> None:
    """Too close, for the first time, and missing are three different things."""
    verdict = last(told(history(setup_time="✓▲", shared_infrastructure="✓<", requests="✓·"), 2))
    assert verdict["sentence"] == (
        "Undecided, 4 of 4 thresholds have no state: new service set-up is beyond its limit for "
        "the first time, shared infrastructure is too close to call and configuration across teams "
        "and requests against building cannot be judged"
    )
    (warning,) = verdict["warnings"]
    assert warning == (
        "New service set-up: beyond the limit at this evaluation; crossed if the next one, on "
        "8 March 2026, says so too."
    )


def test_a_measure_that_lacks_a_source_is_missing() -> None:
    """A direction without something that is needed does not end what was crossed."""
    lacking = {"direction": "below", "missing": ["tickets"], "value": 0.1}
    rows = measures(
        [
            *(measured(REQUESTS, "crossed", each) for each in range(2)),
            *(measured(REQUESTS, "insufficient", each, **lacking) for each in (2, 3)),
        ]
    )
    found = state(told(rows, 4), REQUESTS)
    assert (found["state"], found["standing"], found["value"]) == ("crossed", "held", 0.7)


def test_the_replay_begins_where_something_is_known() -> None:
    """Evaluations before the first sufficient one are left out."""
    found = told(history(setup_time="··✓✓", requests="···✓"), 4)
    assert found["verdict"]["evaluated_on"].to_list() == [on(2), on(3)]
    assert found["threshold_state"].height == 8


def test_held_shows_the_last_measurement_with_its_date() -> None:
    """The value is that of then, and says so; what is missing is still named."""
    found = told(history(shared_infrastructure="▲··"), 3)
    row, verdict = state(found, SHARED_INFRASTRUCTURE), last(found)
    assert (row["state"], row["standing"], row["value"]) == ("crossed", "held", 70.0)
    assert (row["measured_on"], row["since_on"]) == (on(0), on(0))
    assert "(last measured 11 January 2026)" in verdict["sentence"]
    assert "Shared infrastructure: what shared_infrastructure needs" in verdict["missing"]
    assert last(told(history(shared_infrastructure="▲····"), 5))["answer"] == "undecided"


def test_leaving_is_told() -> None:
    """The number is below, the state still crossed, and why."""
    found = told(history(requests="▲▲✓"), 3)
    row = state(found, REQUESTS)
    assert (row["state"], row["measured_state"], row["value"]) == ("crossed", "clear", 0.3)
    assert row["standing_text"].startswith("not beyond the limit at this evaluation")


def test_definitions_that_change_the_answer_are_named() -> None:
    """A flip of the state is a warning; a flip of the answer is named."""
    others = variants(
        [
            {
                "threshold": SETUP_TIME,
                "evaluated_at": at(1),
                "variant": "24-hour clock",
                "state": "clear",
            },
            {
                "threshold": SETUP_TIME,
                "evaluated_at": at(1),
                "variant": "from the repository",
                "state": "crossed",
            },
        ]
    )
    lone = told(history(setup_time="▲▲", requests="✓✓"), 2, others=others)
    assert state(lone, SETUP_TIME)["sensitivity"] == "flips"
    assert state(lone, SETUP_TIME)["sensitivity_text"] == "clear under 24-hour clock"
    assert last(lone)["flips"] == ["undecided under 24-hour clock (new service set-up)"]
    assert last(lone)["warnings"] == [
        "New service set-up hangs on its definition: clear under 24-hour clock."
    ]
    both = told(history(setup_time="▲▲", requests="▲▲"), 2, others=others)
    assert last(both)["flips"] == []
    assert state(both, REQUESTS)["sensitivity"] is None


def test_advice_is_that_of_the_size() -> None:
    """By the number of engineers; without one there is none."""
    verdict = last(told(history(requests="✓"), 1, engineers=42))
    assert (verdict["size"], verdict["engineers"]) == ("30–50", 42)
    assert "paved road" in verdict["advice"]
    verdict = last(told(history(requests="✓"), 1, engineers=None))
    assert (verdict["size"], verdict["advice"], verdict["engineers"]) == (None, None, None)


def test_parameters_and_versions_are_printed() -> None:
    """Every verdict carries what it was made with."""
    rows = measures([measured(REQUESTS, "clear", parameters='{"weeks": 13}')])
    verdict = last(told(rows, 1))
    assert json.loads(verdict["parameters"])[REQUESTS] == {"weeks": 13}
    assert json.loads(verdict["parameters"])[SETUP_TIME] is None
    versions = json.loads(verdict["versions"])
    assert set(versions) >= {"verdict", "threshold_forecast", "setup_time"}
    assert not set(versions) & {"deflection", "change_lead_time"}


def test_no_evaluation_is_no_verdict() -> None:
    """Data younger than the first evaluation give empty tables, with all columns."""
    found = told(history(), 0)
    assert found["verdict"].is_empty()
    assert found["threshold_state"].is_empty()
    assert "sentence" in found["verdict"].columns


def test_a_build_has_a_verdict(tmp_path: Path) -> None:
    """In a real build the tables pass their audits; engineers are people with a recent change."""
    accounts = [
        Account(account_id=f"forge:{login}", login=login, is_bot=login == "robot")
        for login in ("ann", "bob", "cat", "robot")
    ]
    story = tell(
        tmp_path,
        repository(),
        *accounts,
        *line("a", "b"),
        commit("m", "b", at=3),
        commit("n", "m", at=80 * 24),
        commit("o", "n", at=81 * 24),
        main_at("o"),
        request(1, "b", opened=1, merged=3, merge="m", author="forge:ann", merged_by="forge:bob"),
        request(2, "n", opened=79 * 24, merged=80 * 24, merge="n", author="forge:cat"),
        request(3, "o", opened=80 * 24, merged=81 * 24, merge="o", author="forge:robot"),
        live(1, "m", at=4),
        as_of=160 * 24,
    )
    counted = story.ask("select evaluated_at, engineers from engineer_count order by all")
    assert [engineers for _, engineers in counted] == [3, 3, 3, 1, 1, 1]
    ((answer, sentence, engineers, advice),) = story.ask(
        "select answer, sentence, engineers, advice from verdict"
    )
    assert answer == "undecided"
    assert sentence == NOTHING
    assert engineers == 1
    assert advice.startswith("Use managed services")
    assert story.ask("select count(*) from threshold_state") == [(4,)]
