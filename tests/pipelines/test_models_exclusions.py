"""Changes that no number counts, and those of nobody, in small stories."""

from pathlib import Path

import pytest

from connectors.records import Account, CommitPath, Record
from tests.pipelines.stories import (
    KEY,
    commit,
    full,
    line,
    live,
    main_at,
    repository,
    request,
    tell,
)

REASON = '[[exclusions]]\nreason = "{}"\n'


def world() -> list[Record]:
    """Request 1 by Ann, request 2 by a robot, and a direct commit by bea; all live."""
    return [
        repository(),
        commit("a", at=0),
        commit("m", "a", at=10),
        commit("n", "m", at=20),
        commit("d", "n", at=30, author_email="bea@x.test", subject="Bump version to 7"),
        main_at("d"),
        *request(1, "t1", opened=9, merged=10, merge="m", labels=["Generated"]),
        *request(2, "t2", opened=19, merged=20, merge="n", author="forge:robot"),
        Account(account_id="forge:ann", login="ann", email="ann@x.test"),
        Account(account_id="forge:robot", login="Release-Robot"),
        Account(account_id="forge:bea", login="bea", email="bea@x.test"),
        *(
            CommitPath(repository_key=KEY, sha=full(sha), path=path)
            for sha, path in (("m", "generated/x"), ("n", "generated/y"), ("n", "src/y"))
        ),
        *live(1, "a", 1),
        *live(2, "d", 40),
    ]


@pytest.mark.parametrize(
    ("condition", "excluded"),
    [
        ('author = "release-robot"', ["change 2"]),
        ('author = "bea"', ["Bump version to 7"]),
        ('author = "ann@x.test"', ["change 1"]),
        ('label = "generated"', ["change 1"]),
        ('title = "^Bump"', ["Bump version to 7"]),
        ('path = "generated/"', ["change 1"]),
        ('repository = "sh*"', ["Bump version to 7", "change 1", "change 2"]),
        ('repository = "other"', []),
        ('repository = "shop"\nlabel = "generated"', ["change 1"]),
        ('author = "bea"\nlabel = "generated"', []),
    ],
)
def test_an_exclusion_holds_where_all_its_conditions_do(
    tmp_path: Path, condition: str, excluded: list[str]
) -> None:
    """The change stays visible with the reason, and no metric counts it."""
    story = tell(tmp_path, world(), settings=REASON.format("no work") + condition)
    assert story.ask("""
        select title, exclusion from change_fact
        where exclusion is not null and relation = 'shipped' order by title
    """) == [(title, "no work") for title in excluded]
    assert story.ask("""
        select n from metric where metric = 'change_lead_time' and variant = 'median'
            and period = '91d' and entity_type = 'service' and environment = 'production'
    """) == [(3 - len(excluded),)]


def test_the_first_exclusion_that_fits_gives_the_reason(tmp_path: Path) -> None:
    """Listed with the number of its rule."""
    rules = (
        REASON.format("never")
        + 'label = "none"\n'
        + REASON.format("robots")
        + 'author = "release-robot"\n'
        + REASON.format("all")
        + 'title = "change"\n'
    )
    story = tell(tmp_path, world(), settings=rules)
    assert story.ask("""
        select subject, rule, reason from exclusion where rule like 'settings:%' order by subject
    """) == [
        ("forge:pull:1", "settings:3", "all"),
        ("forge:pull:2", "settings:2", "robots"),
    ]


def test_what_is_excluded_follows_the_settings_of_the_build(tmp_path: Path) -> None:
    """Neither lead time nor waiting counts it; deployments are not touched."""
    counts = """
        select
            (select n from metric where metric = 'change_lead_time' and variant = 'median'
                and period = '91d' and entity_type = 'service' and environment = 'production'),
            (select n from metric where metric = 'merged_not_live' and variant = 'count'
                and period = '91d' and entity_type = 'service'),
            (select n from metric where metric = 'deployment_frequency' and variant = 'per_week'
                and period = '91d' and entity_type = 'service' and environment = 'production')
    """
    before = tell(tmp_path / "one", world())
    after = tell(tmp_path / "two", world(), settings=REASON.format("x") + 'label = "generated"\n')
    assert before.ask(counts) == [(3, 3, 2)]
    assert after.ask(counts) == [(2, 2, 2)]


def test_a_change_of_paths_that_nobody_owns_is_listed(tmp_path: Path) -> None:
    """It belongs to no service; a service without paths owns everything beside those that have."""
    touched = {"b": "cart/x", "c": "docs/x"}
    records: list[Record] = [
        repository(),
        *line("a", "b", "c"),
        *(CommitPath(repository_key=KEY, sha=full(s), path=p) for s, p in touched.items()),
        *live(1, "a", 1),
        *live(2, "c", 9),
    ]
    cart = '[[services]]\nname = "cart"\nrepository = "shop"\npaths = ["cart/"]\n'
    story = tell(tmp_path / "one", records, settings=cart)
    assert story.ask("select title from change_fact where relation = 'shipped'") == [("b",)]
    assert story.ask("""
        select c.title from exclusion as e join change as c on c.change_id = e.subject
        where rule = 'change:unowned'
    """) == [("c",)]
    assert story.ask("""
        select subject, count, total from data_check where check_name = 'unowned changes'
    """) == [("shop", 1, 3)]
    whole = '[[services]]\nname = "rest"\nrepository = "shop"\n'
    story = tell(tmp_path / "two", records, settings=cart + whole)
    assert story.ask("""
        select service_name, list(title order by title) from change_fact
        where relation = 'shipped' group by service_name order by service_name
    """) == [("cart", ["b"]), ("rest", ["b", "c"])]


@pytest.mark.parametrize("years", [-57, 73])
def test_changes_of_absurd_dates_are_listed_and_left_out(tmp_path: Path, years: int) -> None:
    """Of 1969 or 2099: shown with the reason, counted nowhere."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "m", step=8),
        request(1, "t", opened=years * 365 * 24, merged=8, merge="m"),
        live(1, "a", 1),
        live(2, "m", 10),
    )
    assert story.ask("""
        select exclusion from change_fact where kind = 'change_request'
    """) == [("opened or merged before 2000 or in the future",)]
    assert story.ask("select rule from exclusion where rule = 'change:absurd'") == [
        ("change:absurd",)
    ]
    assert story.ask("""
        select subject, count from data_check where check_name = 'absurd dates'
    """) == [("changes of shop", 1)]
    assert story.ask(
        "select coalesce(max(n), 0) from metric where metric = 'change_lead_time'"
    ) == [(0,)]
