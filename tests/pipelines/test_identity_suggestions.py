"""Likeness of names suggests who is one person; only people decide."""

import random
import time
from datetime import UTC, datetime

import polars as pl
import pytest

from pipelines.identity import Identities, resolve
from pipelines.identity_suggestions import suggest
from tests.pipelines.test_identity import ACCOUNTS, DECIDED

AT = datetime(2026, 11, 24, tzinfo=UTC)


def named(*people: str | tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    """Accounts of as many people: a name, or (name, login, local part of the address)."""
    full = [(each, None, None) if isinstance(each, str) else each for each in people]
    rows = [(f"g:{i:05}", f"g:{i:05}", *labels) for i, labels in enumerate(full)]
    columns = ("account_id", "person", "name", "login", "local")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def score(*people: str | tuple[str | None, str | None, str | None]) -> int | None:
    """The score of the one pair suggested, if any."""
    found = suggest(named(*people))
    return int(found["score"][0]) if found.height else None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Ann Smith", "ann smith", 100),
        ("Ann Smith", "Smith, Ann", 100),
        ("Jörg Müller", "Joerg Mueller", 100),
        ("Ann B. Smith", "Ann Smith", 100),
        ("José García", "Jose Garcia", 100),
        ("Łukasz Ж", "Łukasz Ж", 100),
        (("Ann Smith", None, None), (None, "annsmith", None), 95),
        (("Ann Smith", None, None), (None, "ann.smith", None), 100),
        (("Ann Smith", None, None), (None, None, "ann.smith42"), 100),
        (("Ann Smith", None, None), (None, "asmith", None), 85),
        ((None, "captain", None), (None, "captain", None), 85),
    ],
)
def test_names_that_are_alike(
    one: str | tuple[str | None, ...], other: str | tuple[str | None, ...], expected: int
) -> None:
    """Case, order, accents, initials, and names run together."""
    assert score(one, other) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann Smith", "Dan Smith"),
        ("Ann Smith", "Ann Miller"),
        ("Ann", "Ann"),
        ("admin", "admin"),
        ("Your Name", "Your Name"),
        ("", ""),
        ("🚢", "🚢"),
        ("x" * 5000, "y" * 5000),
        ((None, "bot1", None), (None, "bot2", None)),
    ],
)
def test_names_that_prove_nothing(
    one: str | tuple[str | None, ...], other: str | tuple[str | None, ...]
) -> None:
    """One word, names of nobody, and names that merely share a part."""
    assert score(one, other) is None  # type: ignore[arg-type]


def test_a_near_miss_is_suggested_below_certain() -> None:
    """A letter more or less may be a slip or somebody else."""
    found = score("Jon Smith", "John Smith")
    assert found is not None
    assert 80 <= found < 100


def test_no_address_in_the_reasons() -> None:
    """Neither where somebody signs with one, nor the part before the @."""
    found = suggest(named(("ann.smith@x.test", None, "ann.smith"), (None, "ann.smith", None)))
    assert found.height == 1
    assert "@" not in found.write_csv()
    only = suggest(named((None, None, "ann.smith"), (None, None, "smith.ann")))
    assert only["why"].to_list() == ["the address is like the address"]


def test_the_work_grows_with_the_accounts_and_not_with_their_square() -> None:
    """Twenty thousand people, some names very common, not in hours; the pairs planted are found."""
    chance = random.Random(3)
    first = [f"{a}{b}" for a in ("mi", "jo", "an", "pe", "su") for b in ("chael", "hanna", "ter")]
    last = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(4000)]
    people = [f"{chance.choice(first)} {chance.choice(last)}" for _ in range(20_000)]
    people += ["michael smith"] * 1200
    planted = [(f"Zora Quill{chr(97 + i)}x", None, None) for i in range(20)] * 2
    started = time.perf_counter()
    found = suggest(named(*people, *planted))
    assert time.perf_counter() - started < 120
    certain = found.filter(pl.col("score") == 100)
    assert certain.filter(pl.col("why").str.contains("Zora")).height >= 20
    # Of the very common name each is paired with the first, none is lost.
    assert certain.filter(pl.col("why").str.contains("michael smith")).height >= 1199


def identities(
    *accounts: tuple[str, str | None, str | None],
    decided: dict[str, str] | None = None,
    mapping: dict[str, str] | None = None,
    mailmap: dict[str, str] | None = None,
    emails: tuple[tuple[str, str], ...] = (),
) -> Identities:
    """Accounts are (id, login, name); decisions by their subject; e-mails with names."""
    return resolve(
        pl.DataFrame(
            [(account, login, name, None, False) for account, login, name in accounts],
            schema=ACCOUNTS,
            orient="row",
        ),
        pl.DataFrame(
            [(email, f"email:{email.replace('@', '-')}", name) for email, name in emails],
            schema={"email": pl.String, "digest": pl.String, "name": pl.String},
            orient="row",
        ),
        pl.DataFrame(
            [(account, name, False) for account, name in (mapping or {}).items()],
            schema={"account": pl.String, "name": pl.String, "is_bot": pl.Boolean},
            orient="row",
        ),
        pl.DataFrame({"name": ["renovate"]}),
        mailmap=pl.DataFrame(
            list((mailmap or {}).items()),
            schema={"written": pl.String, "shown": pl.String},
            orient="row",
        ),
        decided=pl.DataFrame(
            [(subject, value, "Ann", AT) for subject, value in (decided or {}).items()],
            schema=DECIDED,
            orient="row",
        ),
    )


ANN = (("g:1", "ann", "Ann Smith"), ("j:1", "a1", "Ann Smith"))


def people(found: Identities, column: str = "person_id") -> int:
    return found.people[column].n_unique()


def states(found: Identities) -> list[str]:
    return found.suggestions["state"].to_list()


def test_a_suggestion_waits_until_somebody_decides() -> None:
    """Two people, likely one."""
    found = identities(*ANN)
    assert states(found) == ["pending"]
    assert (people(found), people(found, "likely_person_id")) == (2, 1)
    assert set(found.people["method"]) == {"alone"}


def test_what_is_accepted_is_one_person() -> None:
    """From the next build on, and said so."""
    found = identities(*ANN, decided={"g:1 = j:1": "accepted"})
    assert states(found) == ["accepted"]
    assert people(found) == 1
    assert set(found.people["method"]) == {"confirmed"}
    assert found.suggestions.row(0, named=True)["decided_by"] == "Ann"


def test_what_is_rejected_stays_two_and_is_not_likely_either() -> None:
    """Not even by way of a third who is like both."""
    found = identities(*ANN, decided={"g:1 = j:1": "rejected"})
    assert states(found) == ["rejected"]
    assert (people(found), people(found, "likely_person_id")) == (2, 2)
    third = identities(*ANN, ("k:1", "k1", "Ann Smith"), decided={"g:1 = j:1": "rejected"})
    assert sorted(states(third)) == ["pending", "pending", "rejected"]
    likely = dict(third.people.select("account_id", "likely_person_id").iter_rows())
    assert likely["g:1"] != likely["j:1"]


def test_the_mapping_wins_over_what_is_accepted() -> None:
    """Two people of the settings stay two; the decision shows as overruled."""
    found = identities(
        *ANN, decided={"g:1 = j:1": "accepted"}, mapping={"ann": "Ann", "a1": "Another Ann"}
    )
    assert states(found) == ["overruled"]
    assert people(found) == 2


def test_a_decision_holds_for_every_account_of_the_two_people() -> None:
    """It named other accounts of theirs than the suggestion does today."""
    emails = (("ann@x.test", "Ann Smith"), ("12+ann@users.noreply.github.com", "ann"))
    found = identities(
        ("g:1", "ann", "Ann Smith"),
        ("j:1", "a1", "Ann Smith"),
        emails=emails,
        decided={"email:12+ann-users.noreply.github.com = j:1": "rejected"},
    )
    decided = found.suggestions.filter(pl.col("state") == "rejected")
    assert decided.height == 1
    assert "j:1" in (decided["left_account"][0], decided["right_account"][0])


def test_somebody_may_join_what_nothing_is_alike_in() -> None:
    """A decision needs no likeness; it has no score."""
    found = identities(
        ("g:1", "ann", "Ann Smith"), ("j:1", "zzz", "Z"), decided={"g:1 = j:1": "accepted"}
    )
    assert people(found) == 1
    assert found.suggestions["score"].to_list() == [None]


@pytest.mark.parametrize("subject", ["", "g:1", "g:1 = ", "g:1 = g:9", "g:1 = j:1 = k:1"])
def test_a_decision_on_nobody_changes_nothing(subject: str) -> None:
    """Malformed, or of accounts that are gone."""
    found = identities(*ANN, decided={subject: "accepted"})
    assert (people(found), states(found)) == (2, ["pending"])


def test_what_waits_between_one_person_is_not_asked() -> None:
    """Joined by way of a third, the last pair is settled."""
    found = identities(
        *ANN,
        ("k:1", "k1", "Ann Smith"),
        decided={"g:1 = j:1": "accepted", "g:1 = k:1": "accepted"},
    )
    assert states(found) == ["accepted", "accepted"]
    assert people(found) == 1


def test_machines_are_never_suggested() -> None:
    """A bot called as a person is none."""
    found = identities(("g:1", "renovate", "Ann Smith"), ("j:1", "a1", "Ann Smith"))
    assert states(found) == []


def test_the_mailmap_links_what_it_declares() -> None:
    """An address somebody wrote, and the one that stands for it."""
    found = identities(
        emails=(("old@x.test", "A"), ("new@x.test", "B"), ("lone@x.test", "C")),
        mailmap={
            "email:old-x.test": "email:new-x.test",
            "email:gone-x.test": "email:lone-x.test",
            "email:gone-x.test ": "email:nobody-x.test",
        },
    )
    methods = dict(found.people.select("account_id", "method").iter_rows())
    assert methods == dict.fromkeys(methods, "mailmap")
    assert people(found) == 2


def test_the_order_of_the_accounts_changes_nothing() -> None:
    """Equal data, equal tables."""
    many = [(f"g:{i}", f"l{i}", name) for i, name in enumerate(["Ann Smith", "Bo Li"] * 4)]
    one = identities(*many)
    other = identities(*reversed(many))
    assert one.people.equals(other.people)
    assert one.suggestions.equals(other.suggestions)
