"""The settings of controls, standards and exceptions, as tables of the schema `input`."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import polars as pl

from connectors.practices.rules import PracticeRule, ours
from pipelines.inputs_frame import frame, glob_pattern
from pipelines.settings import Settings
from pipelines.settings_configuration import Control, plain

_DAY_US = 24 * 3_600_000_000


def configuration_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """One frame a table, by name; a control is known by its name in plain words."""
    text, texts, flag = pl.String, pl.List(pl.String), pl.Boolean
    chosen = settings.configuration
    return {
        "configuration": frame(
            {
                "audit_us": pl.Int64,
                "findings": pl.Int64,
                "scope_share": pl.Float64,
                "least_teams": pl.Int64,
            },
            [
                (
                    chosen.audit_days * _DAY_US,
                    chosen.findings,
                    chosen.scope_percent / 100,
                    chosen.least_teams,
                )
            ],
        ),
        "practice_category": frame(
            {"category": text, "title": text, "words": text}, list(_categories(settings))
        ),
        "practice_approach": frame(
            {"category": text, "approach": text, "title": text}, list(_approaches(settings))
        ),
        "control": frame(
            {"control": text, "title": text, "category": text, "is_critical": flag},
            list(_controls(settings)),
        ),
        "control_alias": frame({"alias": text, "control": text}, list(_aliases(settings))),
        "control_rule": frame(
            {"control": text, "tool": text, "rule": text},
            [
                (plain(control.name), *_scanner_rule(rule))
                for control in chosen.controls
                for rule in control.rules
            ],
        ),
        "observed_value": frame(
            {"observed": text, "value": text},
            [
                (plain(word), each.value)
                for each in chosen.values
                for word in (*each.observed, each.value)
            ],
        ),
        "standard": frame(
            {"ordinal": pl.Int64, "category": text, "team": text, "approaches": texts},
            [
                (i, each.category, glob_pattern(team), sorted(set(each.approaches)))
                for i, each in enumerate(settings.standards)
                for team in each.teams
            ],
        ),
        "configuration_exception": frame(
            {
                "ordinal": pl.Int64,
                "control": text,
                "team": text,
                "until_at": pl.Datetime("us", "UTC"),
                "reason": text,
            },
            [
                (
                    i,
                    plain(each.control),
                    glob_pattern(team),
                    None
                    if each.until is None
                    else datetime.combine(
                        each.until + timedelta(days=1), time(), settings.organisation.tzinfo
                    ).astimezone(UTC),
                    each.reason,
                )
                for i, each in enumerate(settings.exceptions)
                for team in each.teams
            ],
        ),
    }


def _rules(settings: Settings) -> Iterator[PracticeRule]:
    yield from settings.practices.book().rules


def _categories(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each category once; one that only the settings know is called by its name."""
    known = {each.category: (each.title, each.words) for each in ours()}
    for name in dict.fromkeys(rule.category for rule in _rules(settings)):
        title, words = known.get(name, (name.replace("_", " "), ""))
        yield name, title, words


def _approaches(settings: Settings) -> Iterator[tuple[str, str, str]]:
    titles: dict[tuple[str, str], str] = {}
    for rule in _rules(settings):
        titles.setdefault((rule.category, rule.approach), rule.title or rule.approach)
    for (category, approach), title in titles.items():
        yield category, approach, title


def _controls(settings: Settings) -> Iterator[tuple[str, str, str | None, bool]]:
    """The declared controls, and every category that none of them takes."""
    critical = {each.category: each.critical for each in ours()}
    taken: set[str | None] = set()
    for control in settings.configuration.controls:
        category = _category(settings, control)
        category = None if category in taken else category
        is_critical = control.critical
        if is_critical is None:
            is_critical = critical.get(category or "", False)
        taken.add(category)
        yield plain(control.name), control.name, category, is_critical
    for name, title, _ in _categories(settings):
        if name not in taken:
            yield plain(name), title, name, critical.get(name, False)


def _category(settings: Settings, control: Control) -> str | None:
    """The category that shows a control: the one it names, or the one it is called like."""
    if control.category is not None:
        return control.category
    for name, title, _ in _categories(settings):
        if plain(control.name) in {plain(name), plain(title)}:
            return name
    return None


def _aliases(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every name a control goes by, in plain words; the first that has a name keeps it."""
    found: dict[str, str] = {}
    titles = {name: title for name, title, _ in _categories(settings)}
    aliases = {plain(c.name): c.aliases for c in settings.configuration.controls}
    for control, title, category, _ in _controls(settings):
        names = [control, title, *aliases.get(control, ())]
        if category is not None:
            names += [category, titles.get(category, category)]
        for name in names:
            found.setdefault(plain(name), control)
    yield from found.items()


def _scanner_rule(text: str) -> tuple[str, str]:
    """Tool and rule as regular expressions; without a tool any has the rule."""
    tool, colon, rule = text.rpartition(":")
    return (glob_pattern(tool) if colon else ".*"), glob_pattern(rule)
