"""Which tags look like releases: names that real projects give, and the same answer from DuckDB."""

from pathlib import Path

import duckdb
import pytest

from pipelines import inputs
from pipelines.release_tags import is_release
from pipelines.settings import parse

RELEASES = [
    "v1.2.3",
    "1.2",
    "1.2.3.4",
    "shop-2.1",
    "shop/v2.1.0",
    "shop_1.0",
    "@shop/cart@1.2.3",
    "cart@2.0.0",
    "shop.api-1.2",
    "curl-8_21_0",
    "REL_16_2",
    "OpenSSL_1_1_1w",
    "n7.0",
    "r2.14",
    "V1.0",
    "rel/commons-lang-3.14.0",
    "releases/gcc-13.2.0",
    "v1.2.3-hotfix.1",
    "1.2.3-hotfix",
    "7.0.0.post1",
    "v2.2.8-1",
    "1.0.0.Final",
    "5.3.0.RELEASE",
    "v16.0.0-ee",
    "v1.2.3+build.5",
    "1.10.0-release",
    "V_9_6_P1",
    "v1350",
    "release-123",
    "release_7",
    "shop-release-12",
    "deploy-2026-11-29",
    "release-2026-11-29.2",
    "prod/17",
    "2026-11-29",
    "2026.11.29",
    "20261129",
    "20261129.2",
    "2026-11-29T12-30",
    "v4",
]
OTHERS = [
    "v3.14.0-rc.0",
    "0.16.0rc1",
    "rc-8_22_0-2",
    "9.2.0.dev0",
    "1.0.0b8",
    "3.2.0a1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha-2.1",
    "v2.0.0-beta_1_2",
    "5.0.0-M1",
    "1.2.0-SNAPSHOT",
    "nightly-2026-11-29",
    "dev-1.2",
    "pre/1.0",
    "v2.43.0-rc.1+stringlabels",
    "shop@1.0.0-next.2",
    "2.3.x",
    "stable",
    "latest",
    "nightly",
    "Phase-2",
    "steps",
    "v3-demo",
    "before_ftp_statemachine",
    "issue-123",
    "build-77",
    "backup",
    "123",
    "12345678",
    "v",
    "1.",
    ".1.2",
    "v1.2.",
    "1.x",
    "archive/feature",
    "2026-11",
    "prepipeline",
]


@pytest.mark.parametrize("tag", RELEASES)
def test_versions_dates_and_numbered_releases_are_releases(tag: str) -> None:
    """With or without the name of what is released."""
    assert is_release(tag, None)


@pytest.mark.parametrize("tag", OTHERS)
def test_candidates_branches_and_names_are_not(tag: str) -> None:
    """Nor numbers that nothing says are those of a release."""
    assert not is_release(tag, None)


def test_a_pattern_of_the_settings_decides_alone() -> None:
    """Even of a release candidate."""
    assert is_release("v1.0-rc1", "^v")
    assert not is_release("1.0", "^v")


@pytest.mark.parametrize("text", ["", "deployments.tag_pattern = 'rc|^v'"])
def test_models_answer_alike(text: str) -> None:
    """The macro of the models and the function say the same of every tag."""
    settings = parse(text.encode(), Path("leadline.toml"))
    connection = duckdb.connect()
    inputs.write_macros(connection, settings)
    told = connection.execute(
        "select tag, is_release_tag(tag) from (select unnest($tags) as tag)",
        {"tags": RELEASES + OTHERS},
    ).fetchall()
    pattern = settings.deployments.tag_pattern
    assert dict(told) == {tag: is_release(tag, pattern) for tag in RELEASES + OTHERS}
