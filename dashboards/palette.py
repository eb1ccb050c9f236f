"""Colours of the theme for what Streamlit does not paint itself: charts and cards.

Every colour is written as CSS `light-dark(…)`, so that the browser picks the one of the theme in
use: the server does not always know which one that is.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

CONFIG: Final = Path(__file__).parent / ".streamlit" / "config.toml"
INK: Final = "currentColor"


@dataclass(frozen=True)
class Palette:
    """Roles and their colours."""

    ground: str
    raised: str
    line: str
    muted: str
    primary: str
    clear: str
    crossed: str
    trending: str
    categories: tuple[str, ...]


@cache
def palette() -> Palette:
    """Return the colours of both themes as written in the configuration."""
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    light, dark = theme["light"], theme["dark"]

    def both(key: str) -> str:
        return _pair(light[key], dark[key])

    return Palette(
        ground=both("backgroundColor"),
        raised=both("secondaryBackgroundColor"),
        line=both("borderColor"),
        muted=both("grayTextColor"),
        primary=both("primaryColor"),
        clear=both("greenTextColor"),
        crossed=both("redTextColor"),
        trending=both("orangeTextColor"),
        categories=tuple(
            _pair(one, other)
            for one, other in zip(
                light["chartCategoricalColors"], dark["chartCategoricalColors"], strict=True
            )
        ),
    )


def _pair(light: Any, dark: Any) -> str:
    return f"light-dark({light}, {dark})"
