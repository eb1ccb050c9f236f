"""Cherry-picks and stacks: what is one change, in small stories whose outcome is known."""

from pathlib import Path

from connectors.records import Record
from tests.pipelines.stories import (
    Story,
    commit,
    full,
    hour,
    line,
    live,
    main_at,
    repository,
    request,
    tell,
)


def changes(story: Story) -> list[tuple[object, ...]]:
    """Number or title and kind of every change, originals with when they went live."""
    return story.ask("""
        select coalesce(c.number::varchar, c.title), c.kind, l.live_at
        from change as c
        left join deployment_change as l on l.change_id = c.change_id and l.environment = ''
        where c.title <> 'a' order by c.merged_at
    """)


def main_and_release(pick: Record, *more: Record) -> list[Record]:
    """Request 1 is `x` on main; the release branch starts at `a` and gets `pick`."""
    return [
        repository(),
        commit("a", at=0),
        commit("x", "a", at=5),
        main_at("x"),
        *request(1, "topic-x", opened=4, merged=5, merge="x"),
        pick,
        *more,
        *live(1, "a", 1),
    ]


def test_a_direct_cherry_pick_ships_the_request_it_was_picked_from(tmp_path: Path) -> None:
    """By git's trailer, whole or cut; the request counts once, at the earlier deployment."""
    for place, source in enumerate((full("x"), full("x")[:8])):
        pick = commit("p", "a", at=8, subject="another", cherry_picked_from=[source])
        story = tell(
            tmp_path / str(place),
            main_and_release(pick),
            live(2, "p", 10, ref="release/1"),
            live(3, "x", 40),
        )
        assert changes(story) == [("1", "change_request", hour(10)), ("another", "backport", None)]
    assert story.ask("select rule from exclusion where rule = 'change:backport'") == [
        ("change:backport",)
    ]


def test_without_a_trailer_equal_commits_are_one_change(tmp_path: Path) -> None:
    """The same author, authored second and subject in another request."""
    pick = commit("p", "a", at=8, authored_at=hour(5), subject="x")
    second = request(2, "topic-p", opened=7, merged=9, merge="p", base_branch="release/1")
    second[1] = second[1].model_copy(update={"authored_at": hour(5), "subject": "x"})
    story = tell(tmp_path, main_and_release(pick, *second), live(2, "p", 10))
    assert changes(story) == [("1", "change_request", hour(10)), ("2", "backport", None)]


def test_work_of_its_own_beside_equal_commits_is_a_change(tmp_path: Path) -> None:
    """A request that lists what another brought, and more, is no back-port of it."""
    pick = commit("p", "a", at=8, authored_at=hour(5), subject="x")
    second = request(2, "p", "q", opened=7, merged=9, merge="q", base_branch="release/1")
    second[1] = second[1].model_copy(update={"authored_at": hour(5), "subject": "x"})
    story = tell(
        tmp_path,
        main_and_release(pick, commit("q", "p", at=9), *second),
        live(2, "q", 10),
    )
    assert [kind for _, kind, _ in changes(story)] == ["change_request", "change_request"]


def test_chains_and_several_back_ports_ship_one_change_once(tmp_path: Path) -> None:
    """A pick of a pick leads to the first; the earliest deployment with any of them counts."""
    story = tell(
        tmp_path,
        main_and_release(commit("p", "a", at=8, cherry_picked_from=[full("x")])),
        commit("q", "a", at=9, cherry_picked_from=[full("p")]),
        commit("r", "a", at=10, cherry_picked_from=[full("x"), full("q")]),
        live(2, "q", 12, environment="prod-two"),
        live(3, "r", 15),
        live(4, "p", 20),
        live(5, "x", 30),
    )
    assert changes(story)[0] == ("1", "change_request", hour(12))
    assert {kind for _, kind, _ in changes(story)[1:]} == {"backport"}
    assert story.ask("select distinct original_id from backport") == [("forge:pull:1",)]
    assert story.ask("select count(*) from change_fact where relation = 'shipped'") == [(1,)]


def test_one_back_port_may_repeat_several_changes(tmp_path: Path) -> None:
    """Each of them ships with it, and counts."""
    picks = [full("x"), full("y")]
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("x", "a", at=5),
        commit("y", "x", at=6),
        main_at("y"),
        request(1, "tx", opened=4, merged=5, merge="x"),
        request(2, "ty", opened=5, merged=6, merge="y"),
        commit("p", "a", at=8, cherry_picked_from=picks),
        request(3, "tp", opened=7, merged=8, merge="p", base_branch="release/1"),
        live(1, "a", 1),
        live(2, "p", 10),
        live(3, "y", 20),
    )
    assert changes(story) == [
        ("1", "change_request", hour(10)),
        ("2", "change_request", hour(10)),
        ("3", "backport", None),
    ]


def test_of_picks_in_a_circle_one_counts(tmp_path: Path) -> None:
    """A corrupted history: they name each other, and the earlier is the change."""
    story = tell(
        tmp_path,
        line("a"),
        repository(),
        commit("p", "a", at=8, cherry_picked_from=[full("q")]),
        commit("q", "p", at=9, cherry_picked_from=[full("p")]),
        request(1, "a", opened=-2, merged=-1, merge="a"),
        live(1, "a", 1),
        live(2, "q", 10),
    )
    assert story.ask("select title, kind from change where number is null order by title") == [
        ("p", "direct"),
        ("q", "backport"),
    ]


def test_a_branch_merged_twice_is_one_change(tmp_path: Path) -> None:
    """Into a release branch and into main: the same commits."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("t", "a", at=4),
        commit("m", "a", "t", at=6),
        commit("n", "a", "t", at=7),
        main_at("n"),
        request(1, "t", opened=5, merged=6, merge="m", base_branch="release/1", head_branch="fix"),
        request(2, "t", opened=5, merged=7, merge="n", head_branch="fix"),
        live(1, "a", 1),
        live(2, "m", 10),
        live(3, "n", 20),
    )
    assert changes(story) == [("1", "change_request", hour(10)), ("2", "backport", None)]


def test_a_stack_is_one_change_that_begins_with_its_first_commit(tmp_path: Path) -> None:
    """Two levels below the request that carries them on."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "m", step=20),
        request(1, "u", opened=10, merged=20, merge="m", head_branch="one"),
        request(2, "v", opened=8, merged=15, merge="w", base_branch="one", head_branch="two"),
        request(3, "x", opened=6, merged=14, merge="y", base_branch="two", head_branch="three"),
        live(1, "a", 1),
        live(2, "m", 25),
    )
    assert story.ask("""
        select number, lead_time_us / 3600e6 from change_fact where relation = 'shipped'
    """) == [(1, 20)]
    assert story.ask("select change_request_id, carrier_id from stacked order by all") == [
        ("forge:pull:2", "forge:pull:1"),
        ("forge:pull:3", "forge:pull:1"),
    ]


def test_a_deployed_branch_is_a_release_branch(tmp_path: Path) -> None:
    """A request into it is a change; into one that nothing carried on it is stranded."""
    story = tell(
        tmp_path,
        repository(),
        line("a"),
        commit("t", "a", at=4),
        request(1, "t", opened=5, merged=6, merge="t", base_branch="customer"),
        request(2, "z", opened=5, merged=7, merge="zz", base_branch="nowhere"),
        live(1, "a", 1),
        live(2, "t", 10, ref="refs/heads/customer"),
    )
    assert changes(story) == [
        ("1", "change_request", hour(10)),
        ("2", "stacked", None),
    ]
    assert story.ask("""
        select subject, count from data_check where check_name = 'stranded requests'
    """) == [("shop", 1)]


def test_what_arrives_without_a_carrying_request_is_a_change(tmp_path: Path) -> None:
    """Its branch was merged by hand."""
    story = tell(
        tmp_path,
        repository(),
        commit("a", at=0),
        commit("t", "a", at=4),
        commit("m", "a", "t", at=8),
        main_at("m"),
        request(1, "t", opened=5, merged=6, merge="t", base_branch="next"),
        live(1, "a", 1),
        live(2, "m", 10),
    )
    assert changes(story) == [("1", "change_request", hour(10))]


def test_a_request_from_a_forks_main_is_a_change(tmp_path: Path) -> None:
    """A branch is not merged into itself: the head is another repository's."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "m", step=8),
        request(1, "t", opened=5, merged=8, merge="m", head_branch="main"),
        live(1, "a", 1),
        live(2, "m", 10),
    )
    assert changes(story) == [("1", "change_request", hour(10))]


def test_a_request_that_two_connections_see_counts_once(tmp_path: Path) -> None:
    """By its repository and number; it is told."""
    once = request(1, "t", opened=5, merged=8, merge="m")
    again = [record.model_copy(update={"change_request_id": "mirror:pull:1"}) for record in once]
    story = tell(tmp_path, repository(), line("a", "m", step=8), once, again, live(1, "a", 1))
    assert len(changes(story)) == 1
    assert story.ask("""
        select subject, count, total from data_check where check_name = 'change requests seen twice'
    """) == [("shop", 1, 2)]
