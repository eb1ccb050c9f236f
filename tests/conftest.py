"""What all tests share: LEADLINE_NO_SKIP makes a skip a failure; Ctrl-C works; long ones first."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine's other work, not about the code.
settings.register_profile(
    "untimed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is said to be installed, nothing may be left out."""
    report = yield
    if report.skipped and os.environ.get("LEADLINE_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"
    return report


def pytest_configure() -> None:
    """A shell that starts tests in the background has them and their children ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Few tests that take minutes each: begun last, one worker would be left alone with them.
_LONGEST = ("tests/e2e/", "tests/oracle/", "tests/benchmarks/", "tests/node/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose tests are long; within them nothing changes."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))
