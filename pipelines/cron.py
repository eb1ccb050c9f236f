"""Whether a text is a cron expression of five fields, and what is wrong where it is not."""

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, least, greatest, names that may stand for numbers.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def check(expression: str) -> str:
    """Return the expression; raises `ValueError` saying which field is wrong."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f'"{expression}" is no cron expression: it needs 5 fields, not {len(fields)}; '
            'write one such as "0 * * * *" (every full hour)'
        )
    for text, (name, least, greatest, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            if not _holds(part, least, greatest, names):
                raise ValueError(
                    f'"{expression}" is no cron expression: the {name} "{text}" must be *, '
                    f"or numbers from {least} to {greatest}"
                )
    return expression


def _holds(part: str, least: int, greatest: int, names: tuple[str, ...]) -> bool:
    found = _PART.fullmatch(part)
    if found is None or found[4] == "0":
        return False
    ends = [_number(end, least, names) for end in (found[2], found[3]) if end is not None]
    return all(end is not None and least <= end <= greatest for end in ends) and ends == sorted(
        end for end in ends if end is not None
    )


def _number(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.isdecimal():
        return int(text)
    lowered = text.lower()
    return names.index(lowered) + least if lowered in names else None
