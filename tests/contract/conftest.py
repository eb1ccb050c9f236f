"""Each kind of connector with its world, pulled once for all tests of a module."""

import importlib
import importlib.util
from collections.abc import Iterator

import pytest

from connectors.client import Client
from connectors.connector import kinds
from tests.connectors.jira_pulling import SleepingClock
from tests.contract.rig import Rig


@pytest.fixture(scope="module", params=sorted(kinds()))
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A kind whose world has been pulled once. Waits that a source asks for take no time."""
    kind = request.param
    module = f"tests.contract.worlds.{kind}"
    assert importlib.util.find_spec(module), (
        f"the connector {kind} has no world: add tests/contract/worlds/{kind}.py with "
        "`world(folder)`, a context manager that yields a World to read"
    )
    clock = SleepingClock()
    folder = tmp_path_factory.mktemp(kind)
    with (
        pytest.MonkeyPatch.context() as patch,
        importlib.import_module(module).world(folder) as world,
    ):
        defaults = Client.__init__.__kwdefaults__
        assert defaults is not None
        quick = {"clock": clock.now, "sleep": clock.sleep, "backoff_seconds": 0.001}
        for name, value in quick.items():
            patch.setitem(defaults, name, value)
        # Some kinds wait by a measure of their own.
        patch.setattr(kinds()[kind], "backoff_seconds", 0.001, raising=False)
        rig = Rig(kind, world, folder, clock)
        result = rig.pull("first")
        assert result.errors == []
        assert result.items > 0
        yield rig
