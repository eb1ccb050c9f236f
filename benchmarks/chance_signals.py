"""How many signals the control charts of stable series show by chance.

`python -m benchmarks.chance_signals > pipelines/data/chance_signals.csv` makes the table that
`expected_by_chance` is read from; needed where a rule of `pipelines/stability.py` changes.
"""

import sys

import numpy as np

from pipelines.stability import Floats, charts

POINTS = (12, 16, 20, 22, 24, 26, 28, 32, 40, 52, 78, 104)
# Mean counts a week; the last stands for all above and for what is no count.
MEANS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
SERIES = 40_000
RECENT = 8


def series(mean: float, shape: tuple[int, int], randomly: np.random.Generator) -> Floats:
    """Stable series on the scale of their charts: roots of Poisson counts, or a normal law."""
    if mean >= MEANS[-1]:
        return randomly.normal(size=shape)
    return np.sqrt(randomly.poisson(mean, size=shape).astype(np.float64))


def chance(mean: float, points: int, number: int, randomly: np.random.Generator) -> float:
    """The mean number of signals among the last eight points of many series."""
    y = series(mean, (number, points), randomly)
    found = charts(y, np.full(number, points))
    return float((found.signal[:, -RECENT:] > 0).sum() / number)


def main() -> None:
    """Print the table: one line a length, one column a mean."""
    randomly = np.random.default_rng(20)
    sys.stdout.write(",".join(("points", *map(str, MEANS))) + "\n")
    for points in POINTS:
        row = [f"{chance(mean, points, SERIES, randomly):.4f}" for mean in MEANS]
        sys.stdout.write(",".join((str(points), *row)) + "\n")


if __name__ == "__main__":
    main()
