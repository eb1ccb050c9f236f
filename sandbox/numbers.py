"""Numbers that look like a vendor's: rising, with gaps, one line per kind of thing."""

from hashlib import sha1


class Numbers:
    """Hands out ids per kind; the same questions in the same order give the same numbers."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {
            "account": 18_200_431,
            "team": 4_310_020,
            "person": 0,
            "service": 0,
            "repository": 402_118_377,
            "change request": 1_204_511_806,
            "review": 1_611_022_301,
            "event": 9_811_402_115,
            "deployment": 1_010_415_377,
            "status": 2_410_998_115,
            "workflow": 33_108_441,
            "run": 7_101_886_310,
            "job": 19_410_773_952,
            "release": 88_410_771,
            "issue": 2_104_886_330,
            "project": 10_000,
            "ticket": 10_400,
            "history": 41_300,
            "worklog": 20_100,
        }

    def take(self, kind: str, step: int = 1) -> int:
        """The next number of a kind, `step` further on."""
        self._last[kind] += step
        return self._last[kind]


def opaque_id(*parts: object, length: int = 24) -> str:
    """A stable hexadecimal id for things the vendor names by opaque strings."""
    text = "/".join(str(part) for part in parts)
    return sha1(text.encode(), usedforsecurity=False).hexdigest()[:length]
