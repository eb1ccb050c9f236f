"""What class a ticket has, and what says so, in small stories."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import Record
from tests.pipelines.request_stories import PEOPLE, SETTINGS, correction, item
from tests.pipelines.stories import tell

CLASS = "select class, method from ticket_class where ticket_id = 'tracker:1'"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"labels": ["Build"], "type": "Access request"}, ("build", "label")),
        ({"labels": ["build", "incident"]}, ("incident", "label")),
        ({"type": "access request", "reporter": "pia"}, ("request", "type")),
        ({"type": "Task", "request_type": "Something of the portal"}, ("request", "type")),
        ({"type": "Task", "request_type": "Outage"}, ("incident", "type")),
        ({"type": "Alarm", "request_type": "Else"}, ("incident", "type")),
        ({"parent_key": "INF-9", "reporter": "sam"}, ("build", "epic")),
        ({"parent_key": "EPIC-5", "reporter": "sam"}, ("overhead", "epic")),
        ({"key": "HELP-1", "assignee": "pia"}, ("request", "project")),
        ({"reporter": "sam"}, ("request", "reporter")),
        # The team's own tickets may be anything.
        ({"reporter": "pia"}, ("unclassified", "none")),
        # Nobody knows which team this is.
        ({"reporter": "stranger"}, ("unclassified", "none")),
        # A ticket of another team, asked by yet another one, is no matter of the infrastructure.
        ({"key": "SHOP-1", "reporter": "sam", "assignee": "sue"}, ("unclassified", "none")),
        # But it is once one of theirs has it.
        ({"key": "SHOP-1", "reporter": "sam", "assignee": "pia"}, ("request", "reporter")),
        ({"key": "SHOP-1", "reporter": "sam", "components": ["Kube"]}, ("request", "reporter")),
    ],
)
def test_the_first_rule_that_says_something_holds(
    tmp_path: Path, more: dict[str, Any], expected: tuple[str, str]
) -> None:
    """A label, the type, the parent, the project, then the team of the reporter."""
    settings = SETTINGS.replace(
        "[requests]",
        '[requests]\ncomponents = ["kube"]\nparents = { EPIC-5 = "overhead" }\n'
        'project_classes = { HELP = "request" }',
    ).replace(
        "[[teams]]", '[incidents]\nticket_types = ["alarm"]\nprojects = ["INF"]\n\n[[teams]]', 1
    )
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 1, **more),
        item(9, 0, type="Improvement"),
        settings=settings,
    )
    assert story.ask(CLASS) == [expected]


def test_a_users_word_wins_and_the_last_one_holds(tmp_path: Path) -> None:
    """Over labels too, and for what lies below; a word that is no class says nothing."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 1, labels=["build"]),
        item(2, 1, parent_key="INF-1"),
        item(3, 1, labels=["build"]),
        settings=SETTINGS,
        others={
            "local": [
                correction(1, "build", 5),
                correction(1, "incident", 9),
                correction(1, "request", 7),
                correction(3, "nonsense", 7),
            ]
        },
    )
    assert story.ask("select ticket_id, class, method from ticket_class order by 1") == [
        ("tracker:1", "incident", "correction"),
        ("tracker:2", "incident", "epic"),
        ("tracker:3", "build", "label"),
    ]


def test_parents_in_a_circle_end(tmp_path: Path) -> None:
    """Two tickets that are below each other, and one below itself."""
    story = tell(
        tmp_path,
        item(1, 1, parent_key="INF-2"),
        item(2, 1, parent_key="INF-1"),
        item(3, 1, parent_key="INF-3"),
        settings=SETTINGS,
    )
    assert story.ask("select distinct class from ticket_class") == [("unclassified",)]


def test_few_labelled_tickets_make_no_model(tmp_path: Path) -> None:
    """The reason says how many there are and how many are needed."""
    story = tell(
        tmp_path,
        PEOPLE,
        item(1, 1, labels=["build"]),
        item(2, 1, reporter="pia"),
        settings=SETTINGS,
    )
    ((is_used, reason, unread, read),) = story.ask(
        "select is_used, reason, unread, read from ticket_model"
    )
    assert (is_used, unread, read) == (False, 1, 0)
    assert reason.startswith("too few tickets to learn from: 1 build; at least 20 each")
    assert story.ask("select rule from ticket_class where ticket_id = 'tracker:2'") == [
        ("no rule",)
    ]


def test_without_open_questions_nothing_is_learned(tmp_path: Path) -> None:
    """Every ticket has a rule: no model, and no time spent on one."""
    story = tell(tmp_path, item(1, 1, labels=["build"]), settings=SETTINGS)
    ((is_used, reason),) = story.ask("select is_used, reason from ticket_model")
    assert not is_used
    assert reason == "every ticket has a class by a rule: no model is needed"


def _labelled() -> list[Record]:
    asked = ["Grant access to {}", "Please create a database for {}", "Need a new queue for {}"]
    built = ["Roll out autoscaling of {}", "Automate the backup of {}", "Move {} to the mesh"]
    names = ("checkout", "search", "ledger", "basket", "mailer", "catalog", "profile", "stock")
    texts = [(t.format(n), "request") for t in asked for n in names]
    texts += [(t.format(n), "build") for t in built for n in names]
    return [item(100 + i, 1, title=title, labels=[label]) for i, (title, label) in enumerate(texts)]


def test_words_decide_where_no_rule_does(tmp_path: Path) -> None:
    """What reads like the labelled requests is a request; what reads like nothing known is not."""
    told = [
        *_labelled(),
        item(1, 1, title="Please grant access to billing"),
        item(2, 1, title="Automate the backup of billing"),
        item(3, 1, title="Quarterly budget slides offsite"),
        item(4, 1, title=""),
        item(5, 1, title="Приготовить отчёт совета"),
    ]
    story = tell(tmp_path / "a", PEOPLE, told, settings=SETTINGS)
    query = """select ticket_id, class, method, rule from ticket_class
        where length(ticket_id) = 9 order by 1"""
    assert [row[:3] for row in story.ask(query)] == [
        ("tracker:1", "request", "text"),
        ("tracker:2", "build", "text"),
        ("tracker:3", "unclassified", "none"),
        ("tracker:4", "unclassified", "none"),
        ("tracker:5", "unclassified", "none"),
    ]
    assert story.ask(query)[2][3] == "no rule, and words that are new to the text model"
    ((is_used, tickets, accuracy, majority),) = story.ask(
        "select is_used, tickets, accuracy, majority_share from ticket_model"
    )
    assert (is_used, tickets, majority) == (True, 48, 0.5)
    assert accuracy > 0.9
    assert story.ask("select sum(tickets) from ticket_model_bin") == [(48,)]
    # The order in which tickets arrive changes nothing.
    again = tell(tmp_path / "b", PEOPLE, told[::-1], settings=SETTINGS)
    everything = "select * from ticket_class order by 1"
    assert again.ask(everything) == story.ask(everything)


def test_words_that_tell_nothing_make_no_model(tmp_path: Path) -> None:
    """Labels given by chance: held-out tickets show that reading is no better than guessing."""
    told = [
        item(100 + i, 1, title="look into this", labels=["build" if i % 2 else "request"])
        for i in range(60)
    ]
    story = tell(tmp_path, PEOPLE, told, item(1, 1, title="look into this"), settings=SETTINGS)
    ((is_used, reason),) = story.ask("select is_used, reason from ticket_model")
    assert not is_used
    assert "no better than always saying the most frequent class" in reason
    assert story.ask(CLASS) == [("unclassified", "none")]
