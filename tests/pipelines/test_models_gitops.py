"""Deployments of images and manifests, mapped to the source, in small stories."""

from pathlib import Path
from typing import Any

import pytest

from connectors.records import Record
from tests.pipelines.stories import commit, full, hour, line, live, main_at, repository, tag, tell

MANIFESTS = "forge.test/acme/manifests"


def manifests(*names: str) -> list[Record]:
    """A repository of manifests with these commits."""
    commits = [
        commit(name, *names[max(0, i - 1) : i], at=i, key=MANIFESTS) for i, name in enumerate(names)
    ]
    return [repository(MANIFESTS), *commits, main_at(names[-1], MANIFESTS)]


def rollout(number: int, manifest: str, image: str, at: float) -> list[Record]:
    """An image goes live by a commit of the manifests."""
    return live(number, manifest, at, repository_key=MANIFESTS, image=image)


def short(name: str) -> str:
    """The first ten signs of a commit's id."""
    return full(name)[:10]


@pytest.mark.parametrize(
    "image",
    [
        "registry.test/acme/shop:{short}",
        "registry.test:5000/acme/shop:main-{short}-20260601@sha256:0123",
        "shop:2.0-3-g{short}",
        "shop:{full}",
        "shop:build_{short}_7",
        "shop:2.1.0",
        "registry.test/acme/shop:v2.1.0",
    ],
)
def test_an_image_leads_to_its_source_commit(tmp_path: Path, image: str) -> None:
    """By an id in its tag, whole or cut, or by a tag of that name; the manifest's id is kept."""
    story = tell(
        tmp_path,
        repository(),
        line("commit-a", "xcommit-b"),
        tag("v2.1.0", "xcommit-b", 1),
        manifests("m1", "m2"),
        rollout(1, "m1", f"shop:{full('commit-a')}", 5),
        rollout(2, "m2", image.format(short=short("xcommit-b"), full=full("xcommit-b")), 9),
    )
    assert story.ask("""
        select repository_key like '%shop', sha, manifest_sha from deployment order by live_at
    """) == [
        (True, full("commit-a"), full("m1")),
        (True, full("xcommit-b"), full("m2")),
    ]
    assert story.ask("select title from change_fact where relation = 'shipped'") == [("xcommit-b",)]
    assert story.ask("select * from data_check where check_name = 'unmapped images'") == []


def test_a_rule_says_which_repository_an_image_is_built_from(tmp_path: Path) -> None:
    """It wins over the name; the first that matches."""
    rules = (
        '[[deployments.images]]\nimage = "acme/front*"\nrepository = "shop"\n'
        '[[deployments.images]]\nimage = "*"\nrepository = "manifests"\n'
    )
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1"),
        rollout(1, "m1", f"registry.test/acme/frontend:{full('b')}", 5),
        settings=rules,
    )
    assert story.ask("select repository_key like '%shop', sha from deployment") == [
        (True, full("b"))
    ]


def test_an_image_nobody_knows_is_listed(tmp_path: Path) -> None:
    """And one whose tag says nothing deploys its repository without a commit."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1", "m2"),
        rollout(1, "m1", "registry.test/tools/proxy:7", 5),
        rollout(2, "m2", "shop:latest", 6),
    )
    assert story.ask("""
        select subject, count from data_check where check_name = 'unmapped images'
    """) == [("registry.test/tools/proxy", 1)]
    assert story.ask("""
        select sha, is_counted from deployment where repository_key like '%shop'
    """) == [(None, True)]
    assert story.ask("""
        select subject, count from data_check where check_name = 'deployments without commits'
    """) == [("shop", 1)]


def test_a_new_manifest_of_the_live_commit_is_configuration(tmp_path: Path) -> None:
    """It ships no change and counts; the same manifest again is a redeploy."""
    image = f"shop:{full('b')}"
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1", "m2", "m3"),
        rollout(1, "m1", f"shop:{full('a')}", 5),
        rollout(2, "m2", image, 10),
        rollout(3, "m3", image, 10.5),
        rollout(4, "m3", image, 40),
        rollout(5, "m1", f"shop:{full('a')}", 50),
    )
    assert story.ask("""
        select kind, changes, is_counted from deployment_fact order by live_at
    """) == [
        ("normal", 0, True),
        ("normal", 1, True),
        ("config", 0, True),
        ("redeploy", 0, False),
        ("rollback", 0, True),
    ]
    assert story.ask("""
        select f.live_at from deployment as d
        join deployment as f on f.deployment_id = d.failed_deployment_id
    """) == [(hour(10.5),)]


def test_a_service_named_by_its_image_is_the_one_that_is_deployed(tmp_path: Path) -> None:
    """In a repository of several services."""
    settings = "".join(
        f'[[services]]\nname = "{n}"\nrepository = "shop"\npaths = ["{n}/"]\n'
        for n in ("cart", "search")
    )
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1"),
        rollout(1, "m1", f"registry.test/acme/cart:{full('b')}", 5),
        settings=settings,
    )
    assert story.ask("select service_name, sha from deployment_fact") == [("cart", full("b"))]


def test_a_manifest_without_an_image_is_mapped_by_its_service(tmp_path: Path) -> None:
    """Its release is the source's tag; the manifests are no service that deploys."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        tag("v1.0", "a", 1),
        manifests("m1", "m2"),
        rollout(1, "m2", f"shop:{full('b')}", 9),
        live(2, "m1", 5, repository_key=MANIFESTS, service_hint="shop", release="1.0"),
    )
    assert story.ask("select service_name, sha from deployment_fact order by live_at") == [
        ("shop", full("a")),
        ("shop", full("b")),
    ]


def numbered(number: int, sha: str, at: float, suffix: str = "", **more: Any) -> list[Record]:
    """A sync as Argo CD numbers them, of an application named shop."""
    attempt, *states = live(number, sha, at)
    attempt_id = f"argo:sync:u:{number}{suffix}"
    values = {"repository_key": MANIFESTS, "series": "u", "number": number, **more}
    return [
        attempt.model_copy(update={"attempt_id": attempt_id, **values}),
        *(state.model_copy(update={"attempt_id": attempt_id}) for state in states),
    ]


def test_images_that_came_along_are_left_out(tmp_path: Path) -> None:
    """Beside one whose source is known, and all but one where none is; each with its reason."""
    beside = [
        numbered(1, "m1", 5, ":envoy", image="x/envoy:1", service_hint="envoy"),
        numbered(2, "m2", 9, ":envoy", image="x/envoy:1", service_hint="envoy"),
    ]
    foreign = [
        numbered(3, "m3", 11, image="x/proxy:1", service_hint="shop"),
        numbered(3, "m3", 11, ":reload", image="x/reload:1", service_hint="shop"),
    ]
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1", "m2", "m3"),
        numbered(1, "m1", 5, image=f"shop:{full('a')}", service_hint="shop"),
        numbered(2, "m2", 9, image=f"shop:{full('b')}", service_hint="shop"),
        *beside,
        *foreign,
    )
    assert story.ask("select sha, changes from deployment_fact order by live_at") == [
        (full("a"), 0),
        (full("b"), 1),
        (None, 0),
    ]
    assert story.ask(
        "select subject from exclusion where rule = 'deployment:beside' order by 1"
    ) == [
        ("argo:sync:u:1:envoy",),
        ("argo:sync:u:2:envoy",),
        ("argo:sync:u:3:reload",),
    ]


def test_what_the_forge_and_a_sync_tell_counts_once(tmp_path: Path) -> None:
    """The sync's, from the first on; before it the forge's, and where no sync is for good."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        manifests("m1", "m2"),
        live(1, "a", 5),
        live(2, "b", 29.9),
        live(3, "c", 60),
        live(4, "c", 61, environment="production-us"),
        numbered(1, "m1", 30, image=f"shop:{full('b')}"),
        numbered(2, "m2", 62, image=f"shop:{full('c')}"),
    )
    assert story.ask("""
        select sha, changes, live_at from deployment_fact
        where environment = 'production' order by live_at
    """) == [(full("a"), 0, hour(5)), (full("b"), 1, hour(30)), (full("c"), 1, hour(62))]
    assert story.ask("select count(*) from deployment where environment = 'production-us'") == [
        (1,)
    ]
    assert story.ask("""
        select subject, count, total from data_check where check_name = 'deployments told twice'
    """) == [("shop in production", 2, 5)]
    assert story.ask(
        "select subject from exclusion where rule = 'deployment:retold' order by 1"
    ) == [("forge:deployment:2",), ("forge:deployment:3",)]


def test_an_app_of_apps_deploys_no_service(tmp_path: Path) -> None:
    """It is left out with its reason, and does not count as an unmatched deployment."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        manifests("m1"),
        numbered(1, "m1", 5, image=f"shop:{full('b')}", service_hint="shop"),
        numbered(7, "m1", 6, content="applications", service_hint="apps", series="parent"),
    )
    assert story.ask("select count(*) from deployment") == [(1,)]
    assert story.ask("select subject from exclusion where rule = 'deployment:applications'") == [
        ("argo:sync:u:7",)
    ]
    assert story.ask("select subject from data_check where check_name like 'unmatched dep%'") == []


def test_what_the_source_had_forgotten_is_counted(tmp_path: Path) -> None:
    """By the numbers that are left out; the first that is known again comes after a gap."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b", "c"),
        manifests("m1", "m2", "m3"),
        numbered(4, "m1", 5, image=f"shop:{full('a')}", service_hint="shop"),
        numbered(5, "m2", 9, image=f"shop:{full('b')}", service_hint="shop"),
        numbered(9, "m3", 13, image=f"shop:{full('c')}", service_hint="shop"),
        numbered(0, "m3", 14, series="v", environment="staging", service_hint="shop"),
    )
    assert story.ask("""
        select subject, count, total from data_check
        where check_name = 'deployments the source had forgotten'
    """) == [("shop", 3, 4)]
    assert story.ask("""
        select is_after_gap from deployment_fact where environment = 'production' order by live_at
    """) == [(False,), (False,), (True,)]


def test_manifests_that_are_not_connected_name_their_service(tmp_path: Path) -> None:
    """Their commit is none of the source; without an image it is not known which is live."""
    story = tell(
        tmp_path,
        repository(),
        line("a", "b"),
        numbered(1, "m1", 5, service_hint="Shop"),
        numbered(2, "m2", 9, service_hint="shop", image=f"shop:{full('b')}"),
        numbered(3, "m3", 11, service_hint="unknown", series="v"),
        numbered(4, "m4", 13, service_hint="shop", image="shop:latest"),
    )
    assert story.ask("select service_name, sha from deployment_fact order by live_at") == [
        ("shop", None),
        ("shop", full("b")),
        ("shop", None),
    ]
    assert story.ask("""
        select count from data_check where check_name = 'unmatched deployments'
    """) == [(1,)]
