"""Engineers on shared infrastructure: who counts, where, and what that says of the threshold."""

from itertools import pairwise
from pathlib import Path

import pytest

from connectors.records import Account
from pipelines.settings import SettingsError, parse
from tests.pipelines.shared_world import (
    busy,
    component,
    deployed,
    last,
    letters,
    merged,
    people,
    ran,
    resource,
    teams,
    told,
    unit,
    used,
)
from tests.pipelines.stories import Story, repository

TWO_TEAMS = teams(One="shop", Two="cart")
NAMED = f"Engineer {letters(0)}"
SHARED = TWO_TEAMS + unit("prod", "shop", "cart")


def test_engineers_of_a_shared_unit_are_counted_once(tmp_path: Path) -> None:
    """Thirty on one service, thirty on the other, ten of them on both: fifty, crossed."""
    story = told(
        tmp_path, people(0, 50), busy("shop", range(30)), busy("cart", range(20, 50)),
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value", "ci_low", "ci_high", "measured_state", "missing") == (
        50, 50, 50, "crossed", [],
    )  # fmt: skip
    assert last(story, "n", "coverage", "direction", "threshold_value") == (50, 1.0, None, 50.0)
    assert "50 engineers work on the cluster prod, shared by 2 teams" in last(story, "reason")[0]
    states = story.ask("select measured_state from shared_measure order by evaluated_at")
    # Before the ninetieth day nobody can know.
    assert [state for (state,) in states] == ["insufficient"] * 3 + ["crossed"] * 4
    assert story.ask(
        "select count(*) from threshold_measure where threshold = 'shared_infrastructure'"
    ) == [(len(states),)]
    early = story.ask("select missing from shared_measure order by evaluated_at")[1][0]
    assert any(each.startswith("90 days of history") for each in early)


def test_one_below_is_clear(tmp_path: Path) -> None:
    """The threshold itself crosses, one fewer does not."""
    story = told(
        tmp_path, people(0, 49), busy("shop", range(25)), busy("cart", range(20, 49)),
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value", "measured_state") == (49, "clear")


def test_who_merges_and_who_deploys_counts_and_machines_do_not(tmp_path: Path) -> None:
    """Author, merger and who triggers a production deployment; not reviewers, not staging."""
    robots = [
        Account(account_id="forge:bot", login="renovate[bot]", is_bot=True),
        Account(account_id="forge:rob", login="dependabot"),
    ]
    story = told(
        tmp_path, people(0, 8), robots, busy("shop", [0]), busy("cart", [1]),
        merged("shop", "forge:2", 160, merged_by="forge:3"),
        merged("shop", "forge:bot", 161, merged_by="forge:rob"),
        deployed("shop", 162, actor="forge:4"),
        deployed("shop", 163, actor="forge:5", environment="staging"),
        deployed("shop", 50, actor="forge:6"),
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value", "measured_state") == (5, "clear")


def test_the_look_back_is_ninety_days_and_its_variants(tmp_path: Path) -> None:
    """Who was last active 115 days ago counts in 180 days only, which nobody knows yet."""
    story = told(
        tmp_path, people(0, 4), busy("shop", [0]), busy("cart", [1]),
        merged("shop", "forge:2", 60), merged("shop", "forge:3", 110),
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value") == (3,)
    variants = story.ask(
        "select variant, value, state from shared_variant where evaluated_at ="
        " (select max(evaluated_at) from shared_variant) order by 1"
    )
    assert variants == [
        ("180 days", 4.0, "insufficient"),
        ("30 days", 2.0, "clear"),
        ("connected units", 3.0, "clear"),
    ]


def test_a_unit_of_one_team_is_not_shared(tmp_path: Path) -> None:
    """Sixty people of one team share nothing: nobody, with the evidence said."""
    story = told(
        tmp_path, people(0, 60), busy("shop", range(60)), busy("cart", range(60)),
        settings=teams(One="shop,cart") + unit("prod", "shop", "cart"),
    )  # fmt: skip
    assert last(story, "value", "measured_state", "evidence") == (
        0.0, "clear", "no unit is used by 2 teams or more",
    )  # fmt: skip
    assert story.ask("select is_shared, teams, services from shared_unit") == [(False, 1, 2)]


def test_strict_is_the_largest_unit_and_broad_what_services_connect(tmp_path: Path) -> None:
    """Two clusters and a runner pool between them; a third cluster that nothing connects."""
    settings = teams(One="a,e", Two="b,f", Three="c", Four="d") + (
        unit("east", "a", "b") + unit("west", "c", "d") + unit("lonely", "e", "f")
        + unit("pool", "b", "c", kind="runner pool")
    )  # fmt: skip
    story = told(
        tmp_path, people(0, 24),
        busy("a", range(5)), busy("b", range(5, 9)), busy("c", range(9, 12)),
        busy("d", range(12, 14)), busy("e", range(14, 17)), busy("f", range(17, 22)),
        settings=settings,
    )  # fmt: skip
    assert last(story, "value") == (9,)
    assert "cluster east" in last(story, "reason")[0]
    assert story.ask(
        "select distinct value from shared_variant where variant = 'connected units'"
        " and evaluated_at = (select max(evaluated_at) from shared_variant)"
    ) == [(14.0,)]
    assert story.ask(
        "select component, count(*) from unit_component where evaluated_on ="
        " (select max(evaluated_on) from unit_component) group by 1 order by 1"
    ) == [("cluster:east", 3), ("cluster:lonely", 1)]


def test_pending_suggestions_make_it_too_close_to_call(tmp_path: Path) -> None:
    """Fifty accounts, two of them likely one person: between 49 and 50."""
    accounts = people(0, 49)
    twin = [
        Account(account_id="forge:twin", login="twin", name=NAMED, email="t@x.test"),
        Account(account_id="tracker:twin", name=NAMED, email="t@x.test"),
    ]
    story = told(
        tmp_path, accounts, twin, busy("shop", range(25)), busy("cart", range(25, 49)),
        [merged("shop", "forge:twin", day) for day in range(10, 196, 20)],
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value", "ci_low", "ci_high", "measured_state", "direction") == (
        50, 49, 50, "insufficient", "above",
    )  # fmt: skip
    assert "Between 49 and 50 engineers" in last(story, "reason")[0]


def test_unknown_people_make_it_insufficient(tmp_path: Path) -> None:
    """Sixty accounts that nothing links: the number is no number of people."""
    story = told(
        tmp_path, people(0, 60, is_linked=False), busy("shop", range(30)),
        busy("cart", range(30, 60)), settings=SHARED,
    )  # fmt: skip
    assert last(story, "measured_state", "missing") == (
        "insufficient", ["who is behind 60 of 60 active accounts"],
    )  # fmt: skip


def test_one_in_ten_unknown_is_still_enough(tmp_path: Path) -> None:
    """Ten per cent exactly; the settings' mapping makes the last ones known."""
    story = told(
        tmp_path, people(0, 9), people(9, 10, is_linked=False), busy("shop", range(5)),
        busy("cart", range(5, 10)), settings=SHARED,
    )  # fmt: skip
    assert last(story, "measured_state", "coverage") == ("clear", 0.9)
    named = '[[people]]\nname = "Nine"\naccounts = ["e9"]\n'
    story = told(
        tmp_path / "named", people(0, 9), people(9, 10, is_linked=False), busy("shop", range(5)),
        busy("cart", range(5, 10)), settings=SHARED + named,
    )  # fmt: skip
    assert last(story, "measured_state", "coverage") == ("clear", 1.0)


def test_ghosts_are_counted_as_unknown(tmp_path: Path) -> None:
    """Changes whose author's account is gone, and accounts that no source describes."""
    ghosts = [merged("shop", None, 150 + day / 10) for day in range(40)]
    story = told(
        tmp_path, people(0, 2), busy("shop", [0]), busy("cart", [1]), ghosts, settings=SHARED
    )
    state, (missing,) = last(story, "measured_state", "missing")
    assert state == "insufficient"
    assert missing.startswith("who wrote 40 of ")
    strangers = [merged("shop", f"forge:stranger{n}", 150) for n in range(5)]
    story = told(
        tmp_path / "strangers", people(0, 2), busy("shop", [0]), busy("cart", [1]), strangers,
        settings=SHARED,
    )  # fmt: skip
    assert last(story, "value", "missing") == (7, ["who is behind 5 of 7 active accounts"])


def test_services_that_run_nowhere_known_are_named(tmp_path: Path) -> None:
    """Below nine in ten with unit and team it is not known; what has no deployment is not asked."""
    story = told(
        tmp_path, people(0, 4), busy("shop", [0]), busy("cart", [1]), busy("pay", [2]),
        repository("forge.test/acme/idle"),
        settings=teams(One="shop", Two="cart") + unit("prod", "shop", "cart"),
    )  # fmt: skip
    assert last(story, "measured_state", "missing", "value") == (
        "insufficient",
        ["what 1 of 3 production services run on", "the team of 1 of 3 production services"],
        2.0,
    )
    story = told(
        tmp_path / "nothing", people(0, 4), busy("shop", [0]), busy("cart", [1]),
        settings=TWO_TEAMS,
    )  # fmt: skip
    assert last(story, "value", "measured_state", "missing") == (
        None, "insufficient", ["what 2 of 2 production services run on"],
    )  # fmt: skip
    assert story.ask("select count(*) from shared_week") == [(0,)]


def test_an_empty_organisation_gives_no_number(tmp_path: Path) -> None:
    """Nothing, and a repository without anything."""
    for name, records in (("empty", []), ("bare", [repository()])):
        story = told(tmp_path / name, records)
        rows = story.ask("select value, measured_state, missing from shared_measure")
        assert rows
        for value, state, missing in rows:
            assert (value, state) == (None, "insufficient")
            assert missing == ["changes or production deployments by people in the 90 days before"]


def test_weeks_tell_who_came_and_went(tmp_path: Path) -> None:
    """Weekly values follow from joins and leaves; the first ninety days are left out."""
    story = told(
        tmp_path, people(0, 9), busy("shop", [0, 1]), busy("cart", [2]),
        busy("shop", [3, 4], first=130), busy("cart", [5], last=40),
        settings=SHARED,
    )  # fmt: skip
    weeks = story.ask("select value, joins, leaves from shared_week order by week")
    assert weeks[0][0] == 4
    assert weeks[-1][0] == 5
    assert (sum(w[1] for w in weeks), sum(w[2] for w in weeks)) == (2, 1)
    for before, after in pairwise(weeks):
        assert after[0] == before[0] + after[1] - after[2]
    assert story.ask(
        "select count(*) from threshold_week where threshold = 'shared_infrastructure'"
    ) == [(len(weeks),)]
    (mart,) = story.ask(
        "select engineers, engineers_low, teams, services, is_shared from unit_engineers"
        " order by week desc limit 1"
    )
    assert mart == (5, 5, 2, 2, True)


def test_a_later_build_says_the_same_of_the_past(tmp_path: Path) -> None:
    """Only what was known up to an evaluation counts in it."""
    early = [*people(0, 9), *busy("shop", [0, 1], last=150), *busy("cart", [2], last=150)]
    late = [
        merged("shop", "forge:3", 170),
        *deployed("shop", 171, target="west"),
        *busy("cart", [4], first=160),
    ]
    query = (
        "select * exclude (coverage_text) from shared_measure"
        " where evaluated_at < timestamptz '2026-10-30' order by evaluated_at"
    )
    before = told(tmp_path / "before", early, settings=SHARED)
    after = told(tmp_path / "after", early, late, settings=SHARED)
    assert before.ask(query) == after.ask(query)
    assert len(before.ask(query)) >= 5


def test_units_of_the_catalog(tmp_path: Path) -> None:
    """Kinds by the resource's type, else by its name; databases and public registries are none."""
    depends_on = (
        "resource:default/prod", "resource:main-account", "Resource:default/cache-cluster",
        "resource:default/builders", "resource:default/images", "resource:default/hub.docker.com",
        "resource:default/tf", "component:default/cart", "resource:default/gone-eks",
    )  # fmt: skip
    story = told(
        tmp_path, repository("forge.test/acme/shop"), component("shop", *depends_on),
        resource("prod", "kubernetes-cluster"), resource("main-account", "aws-account"),
        resource("cache-cluster", None), resource("builders", "Runner Pool"),
        resource("images", "container-registry"), resource("hub.docker.com", "registry"),
        resource("tf", "terraform-state"),
    )  # fmt: skip
    assert {unit_id for _, unit_id, _ in used(story)} == {
        "cluster:prod", "cloud account:main-account", "runner pool:builders", "registry:images",
        "terraform state:tf", "cluster:gone-eks",
    }  # fmt: skip


def test_units_of_deployments_and_runners(tmp_path: Path) -> None:
    """Targets, environments that name one, labels of self-hosted runners."""
    story = told(
        tmp_path, repository("forge.test/acme/shop"), repository("forge.test/acme/cart"),
        deployed("shop", 10, target="Prod-EU"), deployed("shop", 11, target="123456789012"),
        deployed("shop", 12, environment="production"),
        deployed("cart", 10, environment="prod eks"),
        deployed("cart", 11, environment="staging", target="other"),
        ran("shop", ["self-hosted", "Linux", "X64", "gpu"], 10), ran("shop", ["ubuntu-latest"], 11),
        ran("cart", ["self-hosted"], 10), ran("cart", ["gpu"], 11),
    )  # fmt: skip
    assert used(story) == {
        ("shop", "cluster:prod-eu", "deployment target"),
        ("shop", "cloud account:123456789012", "deployment target"),
        ("cart", "cluster:prod eks", "deployment target"),
        ("shop", "runner pool:gpu", "runner labels"),
        ("cart", "runner pool:self-hosted", "runner labels"),
    }


def test_a_service_that_moved_leaves_its_old_target(tmp_path: Path) -> None:
    """Ninety days after the last deployment there; two targets in turn both hold."""
    story = told(
        tmp_path, repository("forge.test/acme/shop"), repository("forge.test/acme/cart"),
        deployed("shop", 1, target="old"), deployed("shop", 3, target="new"),
        [deployed("cart", day, target=("a", "b")[day % 2])[0] for day in range(1, 180, 11)],
        [deployed("cart", day, target=("a", "b")[day % 2])[1] for day in range(1, 180, 11)],
    )  # fmt: skip
    rows = story.ask(
        "select name, until_on - from_on, until_on = date '9999-12-31' from unit_use order by 1"
    )
    assert [(name, is_open) for name, _, is_open in rows] == [
        ("a", False), ("b", True), ("new", True), ("old", False),
    ]  # fmt: skip
    assert rows[3][1] == 90
    assert rows[0][1] > 180


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[shared_units]]\nname = "a"\nkind = "cloud"\nservices = ["x"]', "cluster"),
        ('[[shared_units]]\nname = "a"\nkind = "cluster"\nservices = []', "services"),
        (unit("a", "x") + unit("a", "y"), '"a" stands twice among the shared_units'),
        ("[shared_infrastructure]\nengineers = 0", "engineers"),
        ("[shared_infrastructure]\nmost_unresolved = 2", "most_unresolved"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, message: str) -> None:
    """Each names its key."""
    with pytest.raises(SettingsError, match=message):
        parse(text.encode(), tmp_path / "leadline.toml")


def test_limits_come_from_the_settings(tmp_path: Path) -> None:
    """A lower threshold, printed with what was measured."""
    story: Story = told(
        tmp_path, people(0, 12), busy("shop", range(6)), busy("cart", range(6, 12)),
        settings=SHARED + "[shared_infrastructure]\nengineers = 12\n",
    )  # fmt: skip
    assert last(story, "measured_state", "threshold_value") == ("crossed", 12.0)
    assert '"engineers": 12' in last(story, "parameters")[0]


def test_nothing_of_it_names_an_address(tmp_path: Path) -> None:
    """Accounts have addresses, tables have none."""
    story = told(
        tmp_path, people(0, 4), busy("shop", [0, 1]), busy("cart", [2, 3]), settings=SHARED
    )
    for table in ("identity_suggestion", "engineer_stint", "account_person", "unit_use"):
        rows = story.ask(f"select * from {table}")
        assert not any("@" in str(value) for row in rows for value in row)
