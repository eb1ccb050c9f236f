"""Set-ups of services in small stories: what is joined, what is waited for, what is left out."""

import random
from pathlib import Path
from typing import Any

import pytest

from connectors.records import (
    CatalogEntity,
    CommitPath,
    Practice,
    Record,
    ScaffolderStep,
    SelfServiceAction,
    Team,
)
from tests.pipelines.setup_stories import (
    asking,
    facts,
    key,
    made,
    quick,
    run,
    task,
    working_hours,
)
from tests.pipelines.stories import commit, hour, repository, tell, ticket, worklog

# The story begins on a Monday at 8, an hour before work; a working day has 8 hours.


def entity(name: str, kind: str = "service", **more: Any) -> CatalogEntity:
    """A component of the catalog with its own repository."""
    return CatalogEntity(
        entity_ref=f"component:default/{name}",
        kind="Component",
        type=kind,
        name=name,
        repository_key=key(name),
        **more,
    )


def test_ready_is_the_latest_of_the_core_legs(tmp_path: Path) -> None:
    """Whichever leg that is; the first green run and the first deployment to any environment."""
    story = tell(
        tmp_path,
        *made("by-deployment", at=3, green=5, live=30, production=60),
        *made("by-pipeline", at=3, green=28, live=6),
        run("by-pipeline", 4, "failed"),
        run("by-pipeline", 50),
        *made("by-repository", at=3, green=4, live=5),
        *made("without-pipeline", at=3, green=None, live=5),
        *made("never-deployed", at=3, green=5),
        entity("never-deployed"),
    )
    found = facts(story)
    assert {name: each["ready_at"] for name, each in found.items()} == {
        "by-deployment": hour(30),
        "by-pipeline": hour(28),
        "by-repository": hour(5),
        # Deployed and no run was ever seen: its CI is out of sight, not missing.
        "without-pipeline": hour(5),
        "never-deployed": None,
    }
    assert found["never-deployed"]["waits_for"] == "environment"
    # From 11 on Monday: 6 hours of work to the evening, then from 9 to 14 on Tuesday.
    assert found["by-deployment"]["hours"] == 11


def test_the_start_is_the_earliest_of_request_task_and_repository(tmp_path: Path) -> None:
    """One set-up, however many of them there are; a request after the repository is late."""
    story = tell(
        tmp_path,
        asking("asked", 1, 40),
        task("asked", 20, 20.2),
        quick("asked", 20.1),
        task("templated", 20, 20.2),
        quick("templated", 20.1),
        asking("late", 30, 31),
        quick("late", 20),
        quick("alone", 20),
        asking("twice", 1),
        asking("twice", 5, title="Still waiting for service twice"),
        quick("twice", 20),
    )
    found = facts(story)
    assert {
        name: (each["start_by"], each["start_at"], each["made_by"]) for name, each in found.items()
    } == {
        "asked": ("ticket", hour(1), "golden path"),
        "templated": ("task", hour(20), "golden path"),
        "late": ("repository", hour(20), "hand-made"),
        "alone": ("repository", hour(20), "hand-made"),
        "twice": ("ticket", hour(1), "hand-made"),
    }
    assert found["twice"]["tickets"] == 2


def test_the_service_of_a_ticket_is_found_by_its_name(tmp_path: Path) -> None:
    """After the word that the pattern knows, else as any word of the title; never an old one."""
    story = tell(
        tmp_path,
        asking("x", 1, title="Please create the repository `payments-api` for us"),
        quick("payments-api", 10),
        asking("y", 1, title="We need something for invoices, team ledger"),
        quick("invoices", 10),
        asking("z", 900, title="New service old-one"),
        quick("old-one", 10),
        asking("w", 1, title="New service future-one, like invoices"),
        ticket("DEV-1", 1, title="New service payments-api is slow"),
    )
    found = facts(story)
    assert found["payments-api"]["start_at"] == hour(1)
    assert found["payments-api"]["tickets"] == 1
    assert found["invoices"]["start_at"] == hour(1)
    assert found["old-one"]["start_at"] == hour(10)
    assert (found["future-one"]["state"], found["future-one"]["waits_for"]) == (
        "open",
        "repository",
    )
    assert story.ask("select rule, reason from exclusion where subject like '%OPS-z%'") == [
        ("setup:existed_already", "names a service that existed already")
    ]


def test_what_is_no_set_up_is_listed_with_its_reason(tmp_path: Path) -> None:
    """Each rule that leaves something out, and its neighbour that it must not touch."""
    old = commit("old", at=-24 * 40, key=key("import"))
    young = commit("young", at=-24 * 20, key=key("not-import"))
    story = tell(
        tmp_path,
        made("fork", at=3, green=30, live=31, is_fork=True),
        made("mirror", at=5, green=30, live=31, is_mirror=True),
        made("template", at=7, green=30, live=31, is_template=True),
        made("my-template-test", at=9, green=30, live=31),
        made("lib-money", at=11, green=30),
        made("lib-declared", at=13, green=30, live=31),
        entity("lib-declared"),
        made("toolbox", at=15, green=30, live=31),
        entity("toolbox", "library"),
        [old, *made("import", at=17, green=30, live=31)],
        [young, *made("not-import", at=19, green=30, live=31)],
        [*made("moved", at=30, live=5, green=31)],
        made("archived", at=21, green=30, archived_at=hour(50)),
        made("retired", at=23, green=30, live=31, archived_at=hour(50)),
        made("notes", at=25, green=30),
        made("docs", at=27, green=30),
        entity("docs", "documentation"),
        entity("archived"),
    )
    reasons = {name: each["reason"] for name, each in facts(story).items()}
    assert reasons == {
        "fork": "a fork of another repository",
        "mirror": "a mirror of another repository",
        "template": "a template, not a service",
        "my-template-test": "only tried a template out",
        "lib-money": "a library",
        "lib-declared": None,
        "toolbox": "a library",
        "import": "came from elsewhere: older than its repository",
        "not-import": None,
        "moved": "came from elsewhere: older than its repository",
        "archived": "archived before any deployment",
        "retired": None,
        "notes": "no request, no deployment, and no service in the catalog",
        "docs": "no request, no deployment, and no service in the catalog",
    }
    left_out = {name for name, reason in reasons.items() if reason}
    listed = story.ask("select subject from exclusion where rule like 'setup:%'")
    assert {subject.rsplit("/", 1)[-1].removeprefix("service:") for (subject,) in listed} == (
        left_out | set()
    )


def test_many_repositories_of_one_actor_within_an_hour_are_a_migration(tmp_path: Path) -> None:
    """More than five; not five, not over more than an hour, and not those that were asked for."""

    def several(count: int, name: str, step: float, at: float, actor: str) -> list[Record]:
        return [
            record
            for number in range(count)
            for record in made(
                f"{name}-{number}",
                at=at + number * step,
                green=at + 9,
                live=at + 10,
                created_by=actor,
            )
        ]

    story = tell(
        tmp_path,
        several(6, "six", 0.15, 10, "ann"),
        several(5, "five", 0.1, 40, "ann"),
        several(6, "spread", 0.25, 70, "ann"),
        several(3, "bob", 0.1, 100, "bob"),
        several(3, "eve", 0.1, 100, "eve"),
        several(6, "asked", 0.1, 130, "ann"),
        [asking(f"asked-{number}", 129) for number in range(6)],
    )
    excluded = {name for name, each in facts(story).items() if each["rule"] == "bulk migration"}
    assert excluded == {f"six-{number}" for number in range(6)}


def test_open_cancelled_and_failed_requests_count_by_their_age(tmp_path: Path) -> None:
    """Past a business day they are over, before they decide nothing; duplicates are nothing."""
    won_t = {"resolution": "Won't do"}
    story = tell(
        tmp_path,
        quick("anything", 0),
        asking("open", 1),
        asking("young", 24 * 9 + 4),
        asking("cancelled-late", 1, 60, **won_t),
        asking("cancelled-soon", 1, 5, **won_t),
        asking("duplicate", 1, 60, resolution="Duplicate"),
        asking("done-unseen", 1, 60),
        task("failed-once", 1, 1.2, status="failed", repository_key=None),
        task("failed-once", 30, 30.2),
        quick("failed-once", 30.1),
        task("failed-for-good", 1, 1.2, status="failed", repository_key=None),
        task("stuck", 1),
        as_of=24 * 9 + 8,
    )
    found = facts(story)
    assert {name: (each["state"], each["is_over"]) for name, each in found.items()} == {
        "anything": ("ready", False),
        "open": ("open", True),
        "young": ("young", None),
        "cancelled-late": ("cancelled", True),
        "cancelled-soon": ("young", None),
        "duplicate": ("left out", None),
        "done-unseen": ("unknown", None),
        "failed-once": ("ready", True),
        "failed-for-good": ("young", None),
        "stuck": ("open", True),
    }
    assert found["failed-once"]["start_at"] == hour(1)
    assert story.ask("""
        select subject, count, total from data_check
        where check_name = 'set-up requests without a service'
    """) == [("tickets", 1, 9)]


def test_the_clock_is_the_organisation_s(tmp_path: Path) -> None:
    """Over a week-end no business time passes; a shorter working day makes a shorter day."""
    friday = 24 * 4 + 8  # 16 o'clock
    records = [*made("weekend", at=friday, green=friday + 1, live=friday + 66)]
    story = tell(tmp_path / "eight", *records)
    assert facts(story)["weekend"]["hours"] == 2
    assert story.ask(
        "select distinct is_over, is_over_24h from setup_standing where window_days = 0"
    ) == [(False, True)]
    settings = '[organisation]\nworking_hours = ["09:00", "10:00"]\nworking_days = ["fri", "sat"]'
    story = tell(
        tmp_path / "one",
        *made("short", at=friday - 6.5, green=friday, live=friday + 19),
        settings=settings,
    )
    # Friday from 9:30 to 10 and Saturday from 9 to 10: 1.5 hours, a day has one.
    assert (facts(story)["short"]["hours"], facts(story)["short"]["is_over"]) == (1.5, True)


def test_a_service_on_some_paths_begins_with_its_first_commit_there(tmp_path: Path) -> None:
    """Not with the repository, which is years older; its first green run is one after that."""
    settings = """
        [[services]]
        name = "billing"
        repository = "mono"
        paths = ["billing/"]
    """
    story = tell(
        tmp_path,
        repository(key("mono"), created_at=hour(-24 * 900)),
        commit("first", at=20, key=key("mono")),
        CommitPath(repository_key=key("mono"), sha=commit("first", at=20).sha, path="billing/a.py"),
        run("mono", -500),
        run("mono", 26),
        asking("billing", 1),
        made("other", at=0, green=1, live=2),
        settings=settings,
    )
    found = facts(story)["billing"]
    assert (found["start_at"], found["state"], found["waits_for"]) == (
        hour(1),
        "open",
        "environment",
    )
    assert story.ask(
        "select repository_at, pipeline_at from setup_fact where name = 'billing'"
    ) == [(hour(20), hour(26))]


def test_an_optional_leg_counts_where_nine_in_ten_show_it(tmp_path: Path) -> None:
    """Ownership by the portal's step: nine of ten wait for it, eight of ten do not."""

    def world(owned: int) -> list[Record]:
        records: list[Record] = []
        for number in range(10):
            name = f"service-{number}"
            one = task(name, 1, 30)
            records += [one, *made(name, at=2, green=3, live=4), entity(name, owner="team-a")]
            records.append(
                ScaffolderStep(
                    task_id=one.task_id,
                    step_id="register",
                    action="catalog:register",
                    position=3,
                    status="succeeded" if number < owned else "failed",
                    started_at=hour(28),
                    finished_at=hour(29),
                )
            )
        return records

    for owned, ready in ((9, hour(29)), (8, hour(4))):
        story = tell(tmp_path / str(owned), *world(owned))
        found = facts(story)
        assert found["service-0"]["ready_at"] == ready
        assert found["service-9"]["ready_at"] == hour(4)
        (legs,) = story.ask("select legs from setup_measure order by evaluated_at desc limit 1")[0]
        assert ("ownership" in legs) == (owned == 9)


def test_secrets_and_monitoring_show_by_the_first_commit_on_their_file(tmp_path: Path) -> None:
    """Of any file that shows them; a file that came months later is a later change."""
    records: list[Record] = []
    for number, late in enumerate((30.0, 30.0, 30.0, 24.0 * 40)):
        name = f"service-{number}"
        records += made(name, at=2 + number * 10, green=45, live=50)
        for path, at in (("deploy/vault.hcl", 52.0), ("alerts.yaml", late + 30)):
            sha = f"{number}{path}"[:20]
            records += [
                commit(sha, at=at, key=key(name)),
                CommitPath(repository_key=key(name), sha=commit(sha, at=at).sha, path=path),
                Practice(
                    repository_key=key(name),
                    category="secrets management" if "vault" in path else "monitoring",
                    approach="some",
                    path=path,
                    at_line=1,
                    scan_id=f"scan:{name}",
                ),
            ]
    story = tell(tmp_path, *records, as_of=24 * 90)
    ready = {name: each["ready_at"] for name, each in facts(story).items()}
    # All four show their secrets, only three of four monitoring in time: not nine in ten.
    assert set(ready.values()) == {hour(52)}


def test_tickets_and_hours_of_a_set_up(tmp_path: Path) -> None:
    """Those that asked, and those of the same project that name it until it is ready."""
    story = tell(
        tmp_path,
        asking("shop", 1, 40),
        made("shop", at=10, green=20, live=60),
        ticket("OPS-2", 30, 31, title="Secrets for shop, please"),
        ticket("OPS-3", 100, 101, title="More memory for shop"),
        ticket("OPS-4", 30, 31, title="Secrets for shopping"),
        ticket("DEV-5", 30, 31, title="shop: add the basket"),
        worklog("tracker:ticket:OPS-2", 31, 2),
        worklog("tracker:ticket:OPS-3", 101, 8),
    )
    assert story.ask("select tickets, ticket_keys, worked_us / 3600e6 from setup_fact") == [
        (2, ["OPS-2", "OPS-shop-1"], 2)
    ]


def test_bad_input_breaks_nothing(tmp_path: Path) -> None:
    """No requester, absurd dates, a task that ends before it begins, a name of nothing."""
    story = tell(
        tmp_path,
        asking("nobody", 1, reporter=None),
        asking("", 1, title=""),
        task("backwards", 5, 1),
        made("backwards", at=3, green=2, live=1),
        made("absurd", at=-24 * 365 * 60, green=1, live=2),
        repository(key("undated"), created_at=None),
        ticket(
            "OPS-9", 1, type="New service", title="New service not-there", labels=["New-Service"]
        ),
        task("same", 1, 2, entity_ref="component:default/same"),
        entity("same", depends_on=["component:default/same"]),
    )
    found = facts(story)
    assert found["backwards"]["hours"] == 0
    assert found["absurd"]["reason"] == "begun before 2000 or in the future"
    assert all(each["hours"] is None or each["hours"] >= 0 for each in found.values())


def test_the_owner_of_an_entity_is_the_team_that_its_group_shows(tmp_path: Path) -> None:
    """By the group's reference; an owner that is no group of the portal keeps its own name."""
    story = tell(
        tmp_path,
        made("shop", at=3),
        made("till", at=40),
        entity("shop", owner="group:default/checkout-squad"),
        entity("till", owner="Payments"),
        Team(team_id="forge:group:default/checkout-squad", name="Checkout"),
        Team(team_id="forge:team:1", name="payments"),
    )
    assert story.ask("select name, team_id from service order by name") == [
        ("shop", "team:checkout"),
        ("till", "team:payments"),
    ]


def test_a_run_that_a_portal_gives_as_an_action_too_is_one(tmp_path: Path) -> None:
    """Under the template's own name, whichever of the two is told."""
    one, other = task("shop", 1, 2), task("till", 3)
    action = SelfServiceAction(
        action_id=one.task_id, category="service", started_at=hour(1), completed_at=hour(2)
    )
    story = tell(tmp_path, one, other, action, quick("shop", 1.5))
    assert story.ask("select action, state from self_service order by started_at") == [
        ("service", "succeeded"),
        ("service", "unfinished"),
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_set_ups_against_the_plain_way(tmp_path: Path, seed: int) -> None:
    """Start, end, length and state of many, in any order of their legs, by simple arithmetic."""
    chance = random.Random(seed)
    as_of = 24 * 30
    records: list[Record] = [*made("first", at=0, green=0.5, live=0.6), entity("first")]
    expected = {}
    for number in range(60):
        name = f"svc-{number}"
        moments = {
            leg: chance.uniform(24, as_of - 1) if chance.random() < share else None
            for leg, share in (("asked", 0.7), ("at", 0.9), ("green", 0.8), ("live", 0.8))
        }
        base = chance.uniform(24, as_of - 60)
        spread = chance.choice([3, 30, 300])
        moments = {
            leg: None if at is None else min(base + chance.uniform(0, spread), as_of - 0.5)
            for leg, at in moments.items()
        }
        if moments["at"] is None:
            moments["green"] = moments["live"] = None
        if moments["asked"] is None and moments["at"] is None:
            continue
        if moments["asked"] is not None:
            records.append(asking(name, moments["asked"]))
        if moments["at"] is not None:
            # Nothing runs before its repository is there, or it came from elsewhere.
            for leg in ("green", "live"):
                if (moment := moments[leg]) is not None:
                    moments[leg] = max(moment, moments["at"] + 0.2)
            records += made(name, at=moments["at"], green=moments["green"], live=moments["live"])
            records.append(entity(name))
        expected[name] = _plainly(moments, as_of)
    found = facts(tell(tmp_path, *records, as_of=as_of))
    for name, (state, hours, is_over) in expected.items():
        assert found[name]["state"] == state, name
        assert found[name]["hours"] == pytest.approx(hours, abs=1e-5), name
        assert found[name]["is_over"] == is_over, name


def _plainly(moments: dict[str, float | None], as_of: float) -> tuple[str, float, bool | None]:
    start = min(at for leg in ("asked", "at") if (at := moments[leg]) is not None)
    green, live = moments["green"], moments["live"]
    waits = [moments["at"], live]
    if live is None or (green is not None and green - 0.1 <= live):
        waits.append(green)
    is_ready = all(at is not None for at in waits)
    end = max(at for at in waits if at is not None) if is_ready else as_of
    hours = working_hours(hour(start), hour(end))
    state = "ready" if is_ready else ("open" if hours > 8 else "young")
    return state, hours, (hours > 8 if state != "young" else None)
