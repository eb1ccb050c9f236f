"""Settings of the consistency of configurations: controls, standards, exceptions."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field, field_validator

from connectors.practices.options import PracticeOptions
from connectors.practices.rules import our_approaches
from pipelines.settings_checks import SettingsConflictError
from pipelines.settings_messages import suggestion
from pipelines.settings_section import Section

_SPACES = re.compile(r"[\W_]+")


class Control(Section):
    """Something audits and scans look at; every category of practices is one under its name."""

    name: str = Field(min_length=1, description="the control, as audits call it")
    category: str | None = Field(
        None, description="category of the practice inventory that shows it"
    )
    rules: tuple[str, ...] = Field(
        (), description='rules of scanners that show it, "CKV_K8S_35" or "checkov:CKV_*"'
    )
    aliases: tuple[str, ...] = Field((), description="other names audits have for it")
    critical: bool | None = Field(
        None, description="whether inconsistency matters; the category's own when left out"
    )


class ObservedValue(Section):
    """Words of auditors that mean one and the same."""

    value: str = Field(min_length=1, description="the value they are shown as")
    observed: tuple[str, ...] = Field(min_length=1, description="what auditors write for it")


class Configuration(Section):
    """When audits show inconsistent configurations across teams."""

    audit_days: int = Field(365, ge=28, description="audits count for this many days")
    findings: int = Field(
        2, ge=1, description="this many audits with a finding, the latest among them, cross it"
    )
    scope_percent: float = Field(
        80, gt=0, le=100, description="share of teams an audit or a scan must reach to be clear"
    )
    least_teams: int = Field(3, ge=2, description="with fewer teams the threshold does not apply")
    controls: tuple[Control, ...] = Field((), description="controls, beside the categories")
    values: tuple[ObservedValue, ...] = Field((), description="words that mean the same")


class Standard(Section):
    """What the organisation has declared to be the approach of a category."""

    category: str = Field(description="category of the practice inventory")
    approaches: tuple[str, ...] = Field(min_length=1, description="what may be used")
    teams: tuple[str, ...] = Field(("*",), min_length=1, description="for whom; * matches anything")


class ConfigurationException(Section):
    """A deviation that was allowed: these teams are not compared for this control."""

    control: str = Field(min_length=1, description="control, or category of practices")
    teams: tuple[str, ...] = Field(min_length=1, description="for whom; * matches anything")
    until: date | None = Field(None, description="last day it holds; without one it does not end")
    reason: str = Field(min_length=1, description="why, shown wherever it is applied")

    @field_validator("reason")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say why the deviation is allowed")
        return value


def plain(name: str) -> str:
    """A name as it is compared: lower case, words with one blank between them."""
    return _SPACES.sub(" ", name.lower()).strip()


def check_configuration(
    practices: PracticeOptions,
    controls: Sequence[Control],
    standards: Sequence[Standard],
    exceptions: Iterable[ConfigurationException],
) -> None:
    """Raise where a category or an approach is none that any rule finds, or a control is unknown.

    With a folder of rules of one's own nothing is checked: it is read when it is applied.
    """
    _check_once(controls)
    declared = (*controls, *standards, *exceptions)
    if not declared or practices.folder is not None:
        return
    known = {category: set(approaches) for category, approaches in our_approaches().items()}
    for rule in practices.rules:
        known.setdefault(rule.category, set()).add(rule.approach)
    for index, control in enumerate(controls):
        if control.category is not None and control.category not in known:
            hint = suggestion(control.category, sorted(known))
            message = f'no rule has the category "{control.category}"; {hint}'
            raise SettingsConflictError(("configuration", "controls", index, "category"), message)
    for index, standard in enumerate(standards):
        if standard.category not in known:
            hint = suggestion(standard.category, sorted(known))
            message = f'no rule has the category "{standard.category}"; {hint}'
            raise SettingsConflictError(("standards", index, "category"), message)
        for approach in standard.approaches:
            if approach not in known[standard.category]:
                hint = suggestion(approach, sorted(known[standard.category]))
                message = f'no rule of {standard.category} finds "{approach}"; {hint}'
                raise SettingsConflictError(("standards", index, "approaches"), message)


def _check_once(controls: Sequence[Control]) -> None:
    """Raise where two controls have one name, or one category shows two controls."""
    names: set[str] = set()
    categories: set[str] = set()
    for index, control in enumerate(controls):
        where = ("configuration", "controls", index)
        if plain(control.name) in names:
            raise SettingsConflictError((*where, "name"), f'"{control.name}" stands twice')
        names.add(plain(control.name))
        if control.category is not None and control.category in categories:
            raise SettingsConflictError(
                (*where, "category"), f'"{control.category}" already shows another control'
            )
        categories.add(control.category or "")
