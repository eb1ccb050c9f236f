"""What stands beside the lead time, in small stories whose outcome is known."""

from pathlib import Path

from connectors.records import Account
from tests.pipelines.stories import Story, line, live, repository, request, tell


def medians(story: Story) -> dict[str, tuple[float | None, int]]:
    """Value and number of changes of each variant of the last 28 days."""
    rows = story.ask("""
        select variant, value, n from metric where metric = 'change_lead_time' and period = '28d'
            and entity_type = 'service'
    """)
    return {variant: (value, n) for variant, value, n in rows}


def test_from_merge_and_from_opening_stand_apart(tmp_path: Path) -> None:
    """Five requests, authored an hour before opening, merged at 1 to 5, live at 12."""
    merges = ["b", "c", "d", "e", "f"]
    story = tell(
        tmp_path,
        repository(),
        line("a", *merges),
        *(
            request(i, f"x{i}", opened=i - 0.5, merged=i, merge=name)
            for i, name in enumerate(merges, 1)
        ),
        live(1, "a", 0.2),
        live(2, "f", 12),
        as_of=24 * 20,
    )
    assert medians(story) == {
        "median": (10.5, 5),
        "p75": (None, 5),
        "p90": (None, 5),
        "merge_to_live": (9, 5),
        "open_to_live": (9.5, 5),
        "lasting": (10.5, 5),
        "bots": (None, 0),
    }


def test_what_is_live_before_its_merge_has_no_time_from_there(tmp_path: Path) -> None:
    """It counts in the lead time, and is left out where it would be negative."""
    merges = ["b", "c", "d", "e", "f"]
    story = tell(
        tmp_path,
        repository(),
        line("a", *merges),
        *(
            request(i, f"x{i}", opened=i - 0.5, merged=20 if i == 5 else i, merge=name)
            for i, name in enumerate(merges, 1)
        ),
        live(1, "a", 0.2),
        live(2, "f", 12),
        as_of=24 * 20,
    )
    found = medians(story)
    assert found["median"] == (10.5, 5)
    assert found["merge_to_live"] == (None, 4)


def test_changes_of_bots_have_a_row_of_their_own(tmp_path: Path) -> None:
    """They are in no other."""
    merges = ["b", "c", "d", "e", "f"]
    story = tell(
        tmp_path,
        repository(),
        Account(account_id="forge:robot", login="renovate[bot]", is_bot=True),
        line("a", *merges),
        *(
            request(i, f"x{i}", opened=i - 0.5, merged=i, merge=name, author="forge:robot")
            for i, name in enumerate(merges, 1)
        ),
        live(1, "a", 0.2),
        live(2, "f", 12),
        as_of=24 * 20,
    )
    found = medians(story)
    assert (found["bots"], found["median"]) == ((10.5, 5), (None, 0))


def test_lasting_runs_to_when_it_was_live_to_stay(tmp_path: Path) -> None:
    """Live at 12, rolled back at 20, live again at 32; five changes of six come back."""
    merges = ["b", "c", "d", "e", "f", "g"]
    story = tell(
        tmp_path,
        repository(),
        line("a", *merges),
        *(
            request(i, f"x{i}", opened=i - 0.5, merged=i, merge=name)
            for i, name in enumerate(merges, 1)
        ),
        live(1, "a", 0.2),
        live(2, "g", 12),
        live(3, "a", 20),
        live(4, "f", 32),
        as_of=24 * 20,
    )
    found = medians(story)
    assert found["median"] == (10, 6)
    assert found["lasting"] == (30.5, 5)
