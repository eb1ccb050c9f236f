"""What several teams run on, and when that counts as shared infrastructure."""

from typing import Literal

from pydantic import Field

from pipelines.settings_section import Section

UnitKind = Literal["cluster", "cloud account", "runner pool", "registry", "terraform state"]


class SharedUnit(Section):
    """Something that services run on, and which ones do."""

    name: str = Field(min_length=1, description="the unit's name")
    kind: UnitKind = Field(
        description="cluster, cloud account, runner pool, registry or terraform state"
    )
    services: tuple[str, ...] = Field(
        min_length=1, description="services or repositories that run on it; * matches anything"
    )


class SharedInfrastructure(Section):
    """The threshold of engineers on shared infrastructure."""

    engineers: int = Field(50, ge=1, description="engineers on one shared unit that cross it")
    teams: int = Field(2, ge=2, description="teams from which on a unit is shared")
    least_mapped: float = Field(
        0.9, ge=0, le=1, description="share of production services whose unit and owner are known"
    )
    most_unresolved: float = Field(
        0.1, ge=0, le=1, description="share of active accounts that may be linked to nobody"
    )
