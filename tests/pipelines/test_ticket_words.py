"""Groups of titles: alike is together, names are readable, equal titles give equal groups."""

import random

from pipelines.ticket_words import OTHERS, groups, largest

DATABASES = [f"Please create a database for service-{n}" for n in range(12)]
ACCESS = [f"Need access to repository team{n}x" for n in range(8)]
ODD = ["Printer on fire", "Lunch"]

FIRST = ("Ravi", "Noor", "Jonas", "Giulia", "Kaito", "Joana", "Uma", "Sara")
LAST = ("Nowak", "Haddad", "Fontaine", "Goossens", "Lindqvist", "Demir")


def test_titles_that_are_alike_are_one_group() -> None:
    """Numbers and names that occur once do not part them; the rest is others."""
    found = groups([*DATABASES, *ACCESS, *ODD])
    assert len(set(found[:12])) == 1
    assert len(set(found[12:20])) == 1
    assert found[0] != found[12]
    assert found[20:] == [OTHERS, OTHERS]


def test_a_group_is_named_by_its_words() -> None:
    """A person can read the name; words that say nothing are not in it."""
    name = groups([*DATABASES, *ACCESS])[0]
    assert name == "Create database"


def test_the_order_of_titles_changes_nothing() -> None:
    """The same titles shuffled belong to the same groups."""
    titles = [*DATABASES, *ACCESS, *ODD]
    shuffled = random.Random(3).sample(titles, len(titles))
    first = dict(zip(titles, groups(titles), strict=True))
    assert first == dict(zip(shuffled, groups(shuffled), strict=True))


def test_titles_without_words_are_others() -> None:
    """Nothing to group by is no group, and no error."""
    assert groups(["", "42", "?!"]) == [OTHERS] * 3
    assert groups(["the", "please"] * 5) == [OTHERS] * 10
    assert groups([]) == []
    assert largest(["", "1"]) is None


def test_the_largest_group_says_which_titles_it_holds() -> None:
    """Its share is how repeatable the requests are."""
    found = largest([*ODD, *DATABASES])
    assert found is not None
    name, inside = found
    assert name == "Create database"
    assert inside == [False, False, *[True] * 12]
    alone = largest(["Lunch"])
    assert alone == ("Lunch", [True])


def test_who_asks_and_for_what_fills_the_gaps_of_one_request() -> None:
    """Titles of one form are one group, whatever names and services stand in them."""
    people = [f"{first} {last}" for first in FIRST for last in LAST]
    titles = [f"Production access for {person}" for person in people]
    odd = ["The office is cold", "Who owns the printer"]
    found = largest([*titles, *odd])
    assert found == ("Production access", [True] * len(titles) + [False] * len(odd))
