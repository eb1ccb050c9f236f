"""The named worlds: each well inside the state it stands for, with all that it is read from."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from scipy.stats import binomtest

from sandbox.organisation import Organisation
from sandbox.truth_platform import PlatformTruth, Share
from sandbox.worlds import WORLDS, build_world

END = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)


class Made(dict[str, Organisation]):
    """Worlds by name, each made when it is first asked for."""

    def __missing__(self, name: str) -> Organisation:
        self[name] = build_world(WORLDS[name], end=END)
        return self[name]


@pytest.fixture(scope="module")
def made() -> Made:
    """The worlds of this module."""
    return Made()


@pytest.mark.parametrize("name", [name for name, one in WORLDS.items() if not one.without])
def test_every_threshold_is_well_inside_its_state(made: Made, name: str) -> None:
    """The true numbers lie so far from the thresholds that no right interval reaches them."""
    expected = WORLDS[name].expected
    assert expected is not None
    truth = PlatformTruth(made[name])
    for weeks in (0, 4):  # some states need two evaluations in a row
        at = END - timedelta(weeks=weeks)
        assert of_share(truth.setups(at)) in (expected.setup_time, "few")
        engineers = truth.engineers(at)
        assert (engineers >= 60) == (expected.shared_infrastructure == "crossed")
        assert (42 <= engineers < 50) == (expected.shared_infrastructure == "trending")
        share = truth.requests(at).value
        if expected.requests != "not applicable":
            assert share is not None
            assert abs(share - 0.5) > 0.06
            assert (share > 0.5) == (expected.requests == "crossed")
    audits = truth.audits_with_a_finding(END)
    assert (audits >= 2) == (expected.configuration == "crossed")
    assert (audits == 1) == (expected.configuration == "trending")


def of_share(share: Share) -> str:
    """What an exact binomial interval says of a share against a half."""
    if share.whole < 6:
        return "few"
    interval = binomtest(int(share.part), int(share.whole)).proportion_ci(method="exact")
    return "crossed" if interval.low > 0.5 else "clear" if interval.high < 0.5 else "too close"


def test_new_services_come_to_be_as_planned(made: Made) -> None:
    """Each leg follows the one before, and every way takes its time."""
    for name in ("steady", "scaleup", "weekend"):
        organisation = made[name]
        keys = {ticket.key for ticket in organisation.ticket_site.tickets}
        ways = Counter(setup.way for setup in organisation.platform.setups)
        runs = {run.id for run in organisation.platform.runs}
        for setup in organisation.platform.setups:
            assert setup.requested_at < setup.created_at < setup.checked_at < END
            assert (setup.run_id in runs) == (setup.way == "quick")
            assert (setup.ticket_key in keys) == (setup.way != "quick")
            assert (setup.ready_at is None) == (setup.way == "open")
            if setup.ready_at is not None:
                elapsed = setup.ready_at - setup.requested_at
                assert (elapsed > DAY) == (setup.way != "quick")
            repository = organisation.repository_by_id[setup.repository_id]
            assert repository.created_at == setup.created_at
            green = [run.updated_at for run in repository.runs if run.conclusion == "success"]
            assert min(green) == setup.checked_at
        if name == "scaleup":
            assert ways == {"slow": 14, "quick": 2, "open": 1}


def test_nobody_works_on_two_things_at_once(made: Made) -> None:
    """Each day of the infrastructure team adds up, and happens while its ticket is in progress."""
    for name in ("steady", "scaleup", "parked-epic"):
        organisation = made[name]
        tickets = {ticket.key: ticket for ticket in organisation.ticket_site.tickets}
        work = sorted(organisation.platform.work, key=lambda one: (one.person_id, one.started_at))
        for before, after in itertools.pairwise(work):
            ended = before.started_at + timedelta(seconds=before.seconds)
            assert before.person_id != after.person_id or ended <= after.started_at
        for span in work:
            ticket = tickets[span.ticket_key]
            moves = [h.at for h in ticket.histories for item in h.items if item.field == "status"]
            assert min(moves) <= span.started_at
            ended = span.started_at + timedelta(seconds=span.seconds)
            assert ticket.resolved_at is None or ended <= ticket.resolved_at
        own = [one for key, one in tickets.items() if key.startswith(("INF-", "PLT-"))]
        booked = sum(log.duration_seconds for one in own for log in one.worklogs)
        assert (booked > 1000 * 3600) == (name != "parked-epic")


def test_launches_take_away_what_they_say(made: Made) -> None:
    """A true launch takes away its share; one without effect nothing, while engineers double."""
    truths = {name: PlatformTruth(made[name]) for name in ("launch", "no-effect")}
    shares = {
        name: truth.taken_away(truth.organisation.platform.launches[0]).value
        for name, truth in truths.items()
    }
    assert shares == {"launch": pytest.approx(0.3, abs=0.01), "no-effect": 0.0}
    joined = [person.joined_at for person in made["no-effect"].people]
    year_ago = END - 365 * DAY
    assert sum(moment <= year_ago for moment in joined) <= len(joined) * 0.55


def test_teams_keep_secrets_in_as_many_ways_as_there_are_teams(
    made: Made,
) -> None:
    """Twelve teams, twelve ways at every audit and in the files; elsewhere all teams agree."""
    results = made["scaleup"].platform.audit_results
    by_audit: dict[str, set[str]] = {}
    for result in results:
        by_audit.setdefault(result.audit_id, set()).add(result.observed)
    assert [len(seen) for seen in by_audit.values()] == [12, 12, 12]
    assert {name: len(tool_sets(made[name])) for name in ("steady", "two-tools", "scaleup")} == {
        "steady": 1,
        "two-tools": 1,
        "scaleup": 13,
    }


def tool_sets(organisation: Organisation) -> set[frozenset[str]]:
    """The different sets of files of tools that repositories of services began with."""
    return {
        frozenset(
            file.path
            for file in organisation.repository_by_id[service.repository_id].commits[0].files
            if not file.path.startswith(("src/", "services/", "libraries/", "docs/", ".mailmap"))
        )
        for service in organisation.services
    }


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_says_what_it_is_for(name: str) -> None:
    """A name as the command line takes it, a story, and the answer that is right."""
    profile = WORLDS[name]
    assert profile.name == name
    assert profile.story.endswith(".")
    assert profile.expected is not None
