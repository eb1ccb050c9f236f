"""How often the interval of the share of requests holds the truth: teams simulated week by week.

Each person has a leaning of their own towards requests, each week one that the whole team shares
and that resembles the week before; people are away now and then. The truth of a team is its mean
over many such weeks.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.result import Result
from pipelines.estimates import ratio_interval

RUNS = 2_000
WEEKS = (8, 13, 26)
PEOPLE = (3, 12)
# How much a week resembles the one before, with the least and most the interval should hold.
RESEMBLANCE = {0.0: (91.0, 97.5), 0.3: (91.0, 94.5), 0.5: (87.0, 93.0)}
_SHARED, _OWN = 0.5, 0.8  # standard deviations of a week's logit: the team's and each person's

Floats = NDArray[np.float64]


def run(scale: float = 1.0) -> Iterator[Result]:
    """Coverage in per cent of the simulated teams."""
    runs = max(round(RUNS * scale), 50)
    randomly = np.random.default_rng(35)
    for resemblance, (least, most) in RESEMBLANCE.items():
        for weeks in WEEKS:
            for people in PEOPLE:
                covered = _covered(runs, weeks, people, resemblance, randomly)
                what = f"requests, {weeks} weeks × {people} people, ρ = {resemblance:g}"
                yield Result(what, covered, "%", most, least)


def _covered(
    runs: int, weeks: int, people: int, resemblance: float, randomly: np.random.Generator
) -> float:
    leaning = randomly.beta(2.5, 2.5, (runs, people))
    leaning = np.log(leaning / (1 - leaning))
    shared = _weeks(runs, weeks, resemblance, randomly)
    own = randomly.normal(0, _OWN, (runs, people, weeks))
    share = _share(leaning[:, :, None] + _SHARED * shared[:, None, :] + own)
    hours = randomly.gamma(12, 2.2, share.shape) * (randomly.random(share.shape) > 0.08)
    requests, everything = (share * hours).sum(axis=1), hours.sum(axis=1)
    truth = _truth(leaning, randomly)
    held = 0
    for index in range(runs):
        _, low, high = ratio_interval(requests[index], everything[index])
        held += low <= truth[index] <= high
    return 100 * held / runs


def _weeks(runs: int, weeks: int, resemblance: float, randomly: np.random.Generator) -> Floats:
    """What each week adds for the whole team, of unit variance."""
    fresh = randomly.normal(size=(runs, weeks))
    shared = fresh.copy()
    for week in range(1, weeks):
        shared[:, week] = (
            resemblance * shared[:, week - 1] + np.sqrt(1 - resemblance**2) * fresh[:, week]
        )
    return shared


def _truth(leaning: Floats, randomly: np.random.Generator) -> Floats:
    wobble = randomly.normal(0, np.hypot(_SHARED, _OWN), (1_000, 1, 1))
    mean: Floats = np.mean([_share(leaning + each).mean(axis=1) for each in wobble[:, 0]], axis=0)
    return mean


def _share(logit: Floats) -> Floats:
    share: Floats = 1 / (1 + np.exp(-logit))
    return share
