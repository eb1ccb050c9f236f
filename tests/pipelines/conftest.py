"""Fixtures of the pipeline tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.landing import Landing
from tests.pipelines.scripted import KINDS, Clock, Options, Requests, Script, Scripted, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A scripted connection with one root scope."""
    monkeypatch.setattr("pipelines.load.kinds", lambda: KINDS)
    script = Script()
    monkeypatch.setattr(Scripted, "script", script)
    monkeypatch.setattr(Scripted, "stream_types", (Requests,))
    monkeypatch.setattr(Scripted, "root_scopes", ("one",))
    with Landing(tmp_path / "landing.sqlite") as landing:
        yield World(tmp_path, script, Clock(), Scripted("test", Options()), landing)
