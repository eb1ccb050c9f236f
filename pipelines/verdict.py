"""The verdict: states of the thresholds over time, the answer they give, and what to do at a size.

Pure functions over what was measured, oldest evaluation first: the whole history can be replayed
at any time. Rules and their reasons: docs/thresholds.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.thresholds import REQUESTS, SETUP_TIME, SHARED_INFRASTRUCTURE

CROSSED = "crossed"
TRENDING = "trending"
CLEAR = "clear"
NOT_APPLICABLE = "not applicable"
INSUFFICIENT = "insufficient"

PLATFORM = "platform engineering"
DEVOPS = "devops"
UNDECIDED = "undecided"

# Sampling tests enter and leave `crossed` by two evaluations in a row: one look at a value that
# lies on the limit would cross sooner or later. Counts of people and audits count at once.
TWO_STEP = frozenset({SETUP_TIME, REQUESTS})
HOLD = timedelta(weeks=13)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a threshold measured at one evaluation; see `threshold_measure`."""

    at: datetime
    state: str
    direction: str | None = None
    is_warned: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether nothing could be measured; too close to call is a measurement."""
        return self.state == INSUFFICIENT and self.direction is None


@dataclass(frozen=True, slots=True)
class State:
    """The state of a threshold at one evaluation.

    `since`: the first evaluation of this state in one go. `measured_at`: the evaluation whose
    value is shown; older than `at` only where `crossed` is held for want of data. `standing`: why
    the state is not that of the measure: entering, leaving, held, or None.
    """

    at: datetime
    name: str
    since: datetime
    measured_at: datetime
    standing: str | None = None


ENTERING = "entering"
LEAVING = "leaving"
HELD = "held"


def states(threshold: str, history: Sequence[Measured]) -> list[State]:
    """The state at every evaluation, from what was measured up to it."""
    found: list[State] = []
    is_crossed = False
    last = None  # the last evaluation that measured anything
    for place, now in enumerate(history):
        before = history[place - 1] if place else None
        last = last if now.is_missing else now
        is_crossed = _is_crossed(threshold, now, before, was_crossed=is_crossed, last=last)
        name, standing = _named(now, is_crossed=is_crossed)
        previous = found[-1] if found else None
        since = previous.since if previous is not None and previous.name == name else now.at
        measured_at = last.at if standing == HELD and last is not None else now.at
        found.append(State(now.at, name, since, measured_at, standing))
    return found


def _is_crossed(
    threshold: str,
    now: Measured,
    before: Measured | None,
    *,
    was_crossed: bool,
    last: Measured | None,
) -> bool:
    """Whether the threshold counts as crossed at an evaluation."""
    if now.is_missing:
        # Missing data is not "not crossed": the state is held for a while, then unknown.
        return was_crossed and last is not None and now.at - last.at <= HOLD
    is_beyond = now.state == CROSSED
    if is_beyond == was_crossed or threshold not in TWO_STEP:
        return is_beyond
    was_beyond = before is not None and before.state == CROSSED
    was_measured = before is not None and not before.is_missing
    agrees = was_beyond if is_beyond else was_measured and not was_beyond
    return is_beyond if agrees else was_crossed


def _named(now: Measured, *, is_crossed: bool) -> tuple[str, str | None]:
    if is_crossed:
        if now.is_missing:
            return CROSSED, HELD
        return CROSSED, None if now.state == CROSSED else LEAVING
    if now.state == CROSSED:
        # Beyond the limit as a whole, so it cannot read clear; not confirmed, so not crossed.
        return INSUFFICIENT, ENTERING
    if now.state == CLEAR and now.is_warned:
        return TRENDING, None
    return now.state, None


def first_sufficient(histories: Mapping[str, Sequence[Measured]]) -> int | None:
    """The place of the first evaluation at which anything was measured; None: there is none."""
    length = max((len(history) for history in histories.values()), default=0)
    for place in range(length):
        if any(not history[place].is_missing for history in histories.values()):
            return place
    return None


def answer(names: Mapping[str, str]) -> str:
    """The answer of the states: an OR of three values, in which missing is neither."""
    if any(name == CROSSED for name in names.values()):
        return PLATFORM
    if names and all(name in (CLEAR, TRENDING, NOT_APPLICABLE) for name in names.values()):
        return DEVOPS
    return UNDECIDED


def is_by_headcount_only(names: Mapping[str, str]) -> bool:
    """Whether engineers on shared infrastructure are all that speaks for a platform."""
    return [threshold for threshold, name in names.items() if name == CROSSED] == [
        SHARED_INFRASTRUCTURE
    ]


def sensitivity(state: str, alternatives: Mapping[str, str]) -> str | None:
    """Whether alternative definitions give the same: holds, unsure or flips; None without any.

    `flips`: one of them says the opposite. `unsure`: one of them, or the state itself, cannot tell.
    """
    if not alternatives:
        return None
    own = _side(state)
    sides = {_side(other) for other in alternatives.values()}
    if {own, *sides} >= {True, False}:
        return "flips"
    return "holds" if sides == {own} else "unsure"


def changed_by(names: Mapping[str, str], threshold: str, alternative: str) -> str | None:
    """The answer if one threshold had the state of an alternative definition; None: the same."""
    found = answer({**names, threshold: alternative})
    return found if found != answer(names) else None


def _side(state: str) -> bool | None:
    if state == INSUFFICIENT:
        return None
    return state == CROSSED


@dataclass(frozen=True, slots=True)
class Size:
    """What to do, and what to leave, in an organisation of so many engineers."""

    least: int
    name: str
    do: str
    avoid: str


SIZES = (
    Size(
        1,
        "1–10",
        "Use managed services and one documented way to ship; the platform is a page.",
        "Portals and hiring for a platform.",
    ),
    Size(
        10,
        "10–30",
        "Keep a template repository, a shared CI workflow and defaults for secrets and alerts; "
        "begin to tag tickets.",
        "A platform of your own making.",
    ),
    Size(
        30,
        "30–50",
        "Put one or two people on the paved road, with a catalog and self-service for the most "
        "frequent request; look at the four thresholds every week.",
        "Treating 50 as a cliff.",
    ),
    Size(
        50,
        "50–100",
        "If a threshold is crossed: a small dedicated team with a product owner, and the thinnest "
        "viable platform on the most common journey.",
        "A big bang, working off tickets, a golden cage.",
    ),
    Size(
        100,
        "100+",
        "Run the platform as a product, with several teams by capability and a way for others to "
        "contribute.",
        "Mandates without an exit.",
    ),
)


def size(engineers: int | None) -> Size | None:
    """The row of the size table; None where nobody is known."""
    fitting = [each for each in SIZES if engineers is not None and engineers >= each.least]
    return fitting[-1] if fitting else None
