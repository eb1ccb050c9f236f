"""What the models say about changes, in small stories whose outcome is known."""

from pathlib import Path

from connectors.records import ChangeRequest, ChangeRequestCommit, CommitPath
from pipelines.catalog import models
from tests.pipelines.stories import (
    KEY,
    commit,
    full,
    hour,
    line,
    live,
    main_at,
    repository,
    request,
    review,
    tag,
    tell,
)

HOUR_US = 3_600_000_000


def test_the_first_deployment_is_the_baseline(tmp_path: Path) -> None:
    """Years of history are not shipped by whatever is seen first."""
    story = tell(tmp_path, repository(), line("a", "b", "c"), live(1, "b", 5), live(2, "c", 9))
    assert story.ask("select title, relation from change_fact order by title") == [
        ("a", "baseline"),
        ("b", "baseline"),
        ("c", "shipped"),
    ]


def test_lead_time_runs_from_the_first_commit_to_live(tmp_path: Path) -> None:
    """A direct commit: authored at hour 2, live at hour 9."""
    story = tell(tmp_path, repository(), line("a", "b", "c"), live(1, "b", 5), live(2, "c", 9))
    assert story.ask("select lead_time_us / 3600e6 from change_fact where title = 'c'") == [(7,)]


def test_stages_add_up_and_follow_the_reviews(tmp_path: Path) -> None:
    """Opened 10, reviewed 12, approved 15, merged 16, live 20; first commit at 9."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("t", "a", at=9),
        commit("m", "a", "t", at=16),
        main_at("m"),
        request(1, "t", opened=10, merged=16, merge="m", ready_at=hour(10)),
        review(1, 12, "commented"),
        review(1, 15),
        live(1, "a", 1),
        live(2, "m", 20),
    )
    stages = story.ask("""
        select coding_us, pickup_us, review_us, merge_us, deploy_us, unreviewed_us, lead_time_us
        from change_fact where kind = 'change_request'
    """)
    hours = [None if us is None else us / HOUR_US for us in stages[0]]
    assert hours == [1, 2, 3, 1, 4, None, 11]


def test_without_a_review_the_wait_is_unreviewed(tmp_path: Path) -> None:
    """And the author's own review is none."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("t", "a", at=9),
        commit("m", "a", "t", at=16),
        main_at("m"),
        request(1, "t", opened=10, merged=16, merge="m"),
        review(1, 12, reviewer="forge:ann"),
        live(1, "a", 1),
        live(2, "m", 20),
    )
    assert story.ask("""
        select pickup_us, review_us, merge_us, unreviewed_us / 3600e6
        from change_fact where kind = 'change_request'
    """) == [(None, None, None, 6)]


def test_a_squashed_request_ships_with_its_squash_commit(tmp_path: Path) -> None:
    """Its first commit is not in the graph, and still begins its lead time."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "s", step=16),
        request(1, "x", "y", opened=10, merged=16, merge="s"),
        live(1, "a", 1),
        live(2, "s", 20),
    )
    assert story.ask("""
        select kind, relation, lead_time_us / 3600e6 from change_fact order by live_at desc limit 1
    """) == [("change_request", "shipped", 11)]


def test_rebased_commits_belong_to_their_request(tmp_path: Path) -> None:
    """Same author, authored second and subject: not a direct change of their own."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("r", "a", at=16, authored_at=hour(9), subject="x"),
        main_at("r"),
        request(1, "x", opened=10, merged=16, merge="r"),
        live(1, "a", 1),
        live(2, "r", 20),
    )
    assert story.ask("select kind from change_fact where relation = 'shipped'") == [
        ("change_request",)
    ]


def test_without_change_requests_a_merge_is_the_change(tmp_path: Path) -> None:
    """With all it brought in; a commit on the line is a change of its own."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("x", "a", at=2),
        commit("y", "x", at=3),
        commit("m", "a", "y", at=5),
        commit("b", "m", at=6),
        main_at("b"),
        tag("v1", "a", 1),
        tag("v1.0", "a", 1),
        tag("v1.1", "b", 10),
    )
    assert story.ask("""
        select title, kind, lead_time_us / 3600e6 from change_fact where relation = 'shipped'
        order by title
    """) == [("b", "direct", 4), ("m", "merge", 8)]


def test_an_unknown_commit_makes_what_follows_uncertain(tmp_path: Path) -> None:
    """Changes merged before it are attributed to the next one, without a lead time."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", step=4),
        live(1, "a", 1),
        live(2, "unknown", 6),
        live(3, "c", 10),
    )
    assert story.ask("select title, relation, lead_time_us from change_fact order by title") == [
        ("a", "baseline", None),
        ("b", "interval_censored", None),
        ("c", "shipped", 2 * HOUR_US),
    ]


def test_services_by_path_ship_only_what_touches_them(tmp_path: Path) -> None:
    """A change to one service is not live in the other; a shared path belongs to both."""
    settings = "".join(
        f'[[services]]\nname = "{n}"\nrepository = "shop"\npaths = ["{n}/", "shared/"]\n'
        for n in ("cart", "search")
    )
    touched = {"a": "shared/x", "b": "cart/x", "c": "search/x", "d": "shared/y"}
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c", "d"),
        *(CommitPath(repository_key=KEY, sha=full(s), path=p) for s, p in touched.items()),
        live(1, "a", 1, environment="cart-production"),
        live(2, "a", 1, environment="search-production"),
        live(3, "d", 9, environment="cart-production"),
        live(4, "d", 10, environment="search-production"),
        settings=settings,
    )
    assert story.ask("""
        select service_name, list(title order by title) from change_fact
        where relation = 'shipped' group by service_name order by service_name
    """) == [("cart", ["b", "d"]), ("search", ["c", "d"])]


def test_working_hours_leave_out_the_weekend(tmp_path: Path) -> None:
    """Friday 16:00 to Monday 10:00 is two working hours."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("b", "a", at=4 * 24 + 8),
        main_at("b"),
        live(1, "a", 1),
        live(2, "b", 7 * 24 + 2),
    )
    assert story.ask("""
        select business_lead_time_us / 3600e6, lead_time_us / 3600e6 from change_fact
        where relation = 'shipped'
    """) == [(2, 66)]


def test_bots_are_kept_apart(tmp_path: Path) -> None:
    """Their changes ship, and do not count in lead time."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("b", "a", at=2, author_email="49+renovate[bot]@users.noreply.github.com"),
        main_at("b"),
        live(1, "a", 1),
        live(2, "b", 7),
    )
    assert story.ask("select is_bot, relation from change_fact where title = 'b'") == [
        (True, "shipped")
    ]
    assert story.ask("""
        select sum(n) from metric where metric = 'change_lead_time' and variant = 'median'
    """) == [(0,)]
    assert story.ask("select rule from exclusion where rule = 'change:bot'") == [("change:bot",)]


def test_absurd_dates_do_no_harm(tmp_path: Path) -> None:
    """A commit of 1970 and one of 2099 are flagged or left out, and the build stands."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("old", "a", at=3, authored_at=hour(-24 * 365 * 56)),
        commit("new", "old", at=4, authored_at=hour(24 * 365 * 73)),
        main_at("new"),
        live(1, "a", 1),
        live(2, "new", 9),
    )
    assert story.ask("""
        select title, lead_time_us / 3600e6, flags from change_fact where relation = 'shipped'
        order by title
    """) == [("new", 5, []), ("old", 6, ["started over 90 days before opening"])]


def test_every_audit_passes_on_nothing_at_all(tmp_path: Path) -> None:
    """An empty organisation builds, and says nothing."""
    story = tell(tmp_path)
    story.build(*models())
    assert story.ask("select count(*) from metric where value is not null") == [(0,)]


def test_a_rebased_request_touches_what_all_its_commits_touch(tmp_path: Path) -> None:
    """The last commit alone would miss the other service."""
    settings = "".join(
        f'[[services]]\nname = "{n}"\nrepository = "shop"\npaths = ["{n}/"]\n'
        for n in ("cart", "search")
    )
    touched = {"r1": "cart/x", "r2": "search/x"}
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("r1", "a", at=16, authored_at=hour(9), subject="x"),
        commit("r2", "r1", at=16, authored_at=hour(9), subject="y"),
        main_at("r2"),
        *(CommitPath(repository_key=KEY, sha=full(s), path=p) for s, p in touched.items()),
        request(1, "x", "y", opened=10, merged=16, merge="r2"),
        live(1, "a", 1),
        live(2, "r2", 20),
        settings=settings,
    )
    assert story.ask("""
        select service_name from change_fact where kind = 'change_request' order by 1
    """) == [("cart",), ("search",)]


def test_a_branch_tried_on_staging_is_no_change_yet(tmp_path: Path) -> None:
    """Commits of an open request are nobody's direct commits."""
    opened = ChangeRequest(
        change_request_id="forge:pull:7",
        repository_key=KEY,
        number=7,
        created_at=hour(3),
        base_branch="main",
        head_branch="topic",
    )
    listed = ChangeRequestCommit(change_request_id="forge:pull:7", sha=full("t"), position=0)
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        commit("t", "b", at=3),
        opened,
        listed,
        live(1, "a", 2),
        live(2, "t", 4, environment="staging"),
        live(3, "t", 5),
    )
    assert story.ask("select title from change_fact order by title") == [("a",), ("b",)]


def test_a_promotion_owns_no_commits(tmp_path: Path) -> None:
    """Direct commits to develop are changes, the request that carries them to main is none."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("d", "a", at=4),
        commit("m", "a", "d", at=9),
        main_at("m"),
        request(1, "d", opened=8, merged=9, merge="m", head_branch="develop"),
        live(1, "a", 1),
        live(2, "m", 10),
    )
    assert story.ask("select title, kind from change_fact where relation = 'shipped'") == [
        ("d", "direct")
    ]
    assert story.ask("select rule from exclusion where rule like 'change:p%'") == [
        ("change:promotion",)
    ]
