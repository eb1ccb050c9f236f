"""Every scenario comes out as the definitions say; README.md shows how they are written."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.batch import Batch, build, number
from tests.scenarios.language import hours, moment
from tests.scenarios.scenario import FOLDER, Scenario, load

SCENARIOS = load()
Told = Callable[[Scenario], tuple[Batch, str | None]]


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The build that a scenario is told in, and the marker of its rows there."""
    groups: dict[tuple[str, str, str], list[Scenario]] = {}
    for scenario in SCENARIOS:
        groups.setdefault(scenario.build_key, []).append(scenario)

    @cache
    def built(key: tuple[str, str, str]) -> tuple[Batch, dict[Scenario, str | None]]:
        together = groups[key]
        markers = {
            each: f"n{number:03}" if len(together) > 1 else None
            for number, each in enumerate(together)
        }
        folder: Path = tmp_path_factory.mktemp("scenarios")
        return build(folder, list(markers.items())), markers

    def find(scenario: Scenario) -> tuple[Batch, str | None]:
        batch, markers = built(scenario.build_key)
        return batch, markers[scenario]

    return find


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{each.file}: {each.name}")
def test_a_scenario_comes_out_as_defined(scenario: Scenario, told: Told) -> None:
    """Each table asked holds exactly the rows expected."""
    batch, marker = told(scenario)
    for asked in scenario.expect:
        expected = sorted(([_expected(value) for value in row] for row in asked.rows), key=repr)
        assert batch.ask(asked, marker) == expected, f"{asked.table}: {scenario.why}"


def _expected(value: Any) -> Any:
    """As the story is shown: numbers to nine digits, times in hours, lists in any order."""
    if isinstance(value, list):
        return sorted((_expected(each) for each in value), key=repr)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str) and re.match(r"at -?\d", value):
        return number(hours(moment(value.removeprefix("at "))))
    return value


def test_every_bullet_of_the_definitions_has_a_scenario() -> None:
    """And no scenario covers what is not on the list."""
    listed = {
        line.strip()
        for line in (FOLDER / "bullets.txt").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    }
    covered = {bullet for scenario in SCENARIOS for bullet in scenario.covers}
    assert sorted(listed - covered) == []
    assert sorted(covered - listed) == []


def test_scenarios_are_told_apart() -> None:
    """By their names, which say what holds."""
    names = [(scenario.file, scenario.name) for scenario in SCENARIOS]
    assert len(names) == len(set(names))
