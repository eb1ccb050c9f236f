"""The language of scenarios refuses what it cannot read, and says what it would."""

import pytest

from connectors.records import ChangeRequestCommit, Commit, DeploymentStatus
from tests.pipelines.stories import full, hour
from tests.scenarios.events import tell
from tests.scenarios.language import LanguageError, moment


@pytest.mark.parametrize(
    ("story", "told"),
    [
        ("depoly 1 of a at 3", "no line begins so"),
        ("commit a at noon", '"noon" is no time'),
        ("commit a at 2026-03-29", "is no time"),
        ("commit a", 'lacks "at"'),
        ("commit at 3", "names nothing"),
        ("commit a at 0 loudly", 'nobody knows "loudly"'),
        ("commit a at 0 at 1", "not followed as it should be"),
        ("commit a at 0\ncommit a at 1", "told twice"),
        ("live 1 of b at 3", 'no commit "b"'),
        ("commit a at 0 in cart", 'no repository "cart"'),
        ("request 1 of x opened 3", 'when was "x" made?'),
        ("review of 1 by bob at 3", "what the review was"),
        ("commit a at 0\nrun 1 of a named x at 3", "how it ended"),
    ],
)
def test_a_line_nobody_can_read_is_shown_with_what_is_wrong(story: str, told: str) -> None:
    """With the line itself, so that it is found in its file."""
    with pytest.raises(LanguageError) as caught:
        tell(story)
    assert told in str(caught.value)


def test_times_are_hours_days_or_instants() -> None:
    """Hours and days count from Monday, 08:00 UTC."""
    assert moment("6.5") == hour(6.5)
    assert moment("-2d3") == hour(-45)
    assert moment("2026-06-01T10:00+02:00") == hour(0)


def test_a_story_makes_the_records_a_source_would_give() -> None:
    """A commit that only the request knows, a merge, and the states of a deployment."""
    told = tell("""
        commit a at 0   # the root
        commit m on a at 4 subject "all of it"
        request 1 of x@2 opened 3 merged 4 as m by zoe
        deploy 1 of m at 5 failed 5.5 succeeded 6
    """)
    records = told.records["forge"]
    assert [r.subject for r in records if isinstance(r, Commit)] == ["a", "all of it"]
    assert [r.author_email for r in records if isinstance(r, ChangeRequestCommit)] == ["zoe@x.test"]
    assert [(r.state, r.at) for r in records if isinstance(r, DeploymentStatus)] == [
        ("failed", hour(5.5)),
        ("succeeded", hour(6)),
    ]
    assert told.names[full("m")] == "m"
    assert told.names["forge:deployment:1"] == "1"
