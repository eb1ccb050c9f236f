"""The sandbox's worlds, pulled over real HTTP and Git and built."""

import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pipelines import operations
from pipelines.commands.demo import write_settings
from pipelines.files import DataFolder
from pipelines.inputs import Clock
from pipelines.settings import parse
from sandbox.introduction import introduce
from sandbox.organisation import Organisation
from sandbox.profile import Profile
from sandbox.server import Sandbox
from sandbox.truth_platform import PlatformTruth
from sandbox.worlds import SCALEUP, WORLDS, build_world
from tests.e2e.demo_world import Built

# The scale-up of the demo has 120 engineers; a smaller one of the same habits says the same.
SMALLER = replace(SCALEUP, engineers=78, services=14, months=12)
PROFILES = {**WORLDS, SCALEUP.name: SMALLER}
END = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday on which thresholds are evaluated


@dataclass(frozen=True, kw_only=True)
class BuiltWorld(Built):
    """A published build of a world, and the truth of it."""

    organisation: Organisation

    @cached_property
    def truth(self) -> PlatformTruth:
        """What a right reading finds."""
        return PlatformTruth(self.organisation)


class Worlds:
    """Makes, serves, pulls and builds worlds.

    Worlds that differ only in what is left out are one organisation, made and written once. Where
    LEADLINE_WORLDS names a folder, every published build is kept there for `published`: a later
    test run of the same code need not build again. Empty it when the code changes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shelf = os.environ.get("LEADLINE_WORLDS")
        self._keeps_all = bool(shelf)
        self._kept = Path(shelf or folder / "published")
        self._made: dict[Profile, tuple[Organisation, Path]] = {}

    def build(self, profile: Profile, *, unconnected: str | None = None) -> BuiltWorld:
        """The world of a profile, pulled and built; a connection can be left out."""
        organisation, repositories = self._organisation(profile)
        folder = self._folder / f"{profile.name}-{unconnected}"
        with Sandbox(organisation, repositories) as sandbox:
            path = write_settings(folder, introduce(sandbox, folder / "files"))
            settings = parse(path.read_bytes(), path)
            connections = {
                name: connection
                for name, connection in settings.connections.items()
                if name != unconnected
            }
            settings = settings.model_copy(
                update={"data": folder / "data", "connections": connections}
            )
            for result in operations.sync(settings):
                assert result.errors == []
        operations.load_records(settings)
        operations.build(settings, moment=Clock(END, "the end of the made-up world"))
        if self._keeps_all and unconnected is None:
            self._keep(settings.data, profile.name)
        return BuiltWorld(settings=settings, organisation=organisation)

    def published(self, profile: Profile) -> Path:
        """A data folder with nothing but the published build of a world, kept or built now."""
        kept = self._kept / profile.name
        if not kept.is_dir():
            built = self.build(profile)
            if not self._keeps_all:
                self._keep(built.settings.data, profile.name)
        return kept

    def _keep(self, built: Path, name: str) -> None:
        """Keep a published build; it has its name only when it is whole."""
        kept, unfinished = self._kept / name, self._kept / f"{name}.unfinished"
        for old in (kept, unfinished):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(DataFolder(built).builds, DataFolder(unfinished).builds, symlinks=True)
        unfinished.rename(kept)

    def _organisation(self, profile: Profile) -> tuple[Organisation, Path]:
        # What is left out of the settings alone needs no other organisation.
        without = profile.without & {"units"}
        whole = replace(profile, name="", story="", without=without, expected=None)
        if whole not in self._made:
            made = build_world(profile, end=END)
            self._made[whole] = made, self._folder / f"repositories-{len(self._made)}"
        organisation, repositories = self._made[whole]
        return replace(organisation, profile=profile), repositories
