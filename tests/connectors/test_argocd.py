"""Argo CD: every sync once, what was forgotten told, odd answers told."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.argocd import Argocd, ArgocdOptions
from connectors.connector import Finding, Line, Parsed, Pull
from connectors.records import Account, DeploymentAttempt, DeploymentStatus
from sandbox.argocd_payloads import ArgocdSettings, image_of, places, revision_of
from sandbox.organisation import Organisation
from sandbox.server import Sandbox
from sandbox.worlds import WORLDS, build_world
from tests.connectors.web import Asked, Reply, script, serving
from tests.e2e.demo_world import END
from tests.pulling import ask, pull

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGOCD_TOKEN", "sandbox-token")


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    """A small organisation."""
    return build_world(WORLDS["steady"], end=END)


def connector(url: str, **more: Any) -> Argocd:
    """A connection to a server."""
    options = {"base_url": url, "token": {"env": "ARGOCD_TOKEN"}, **more}
    return Argocd("argo", ArgocdOptions.model_validate(options))


ATTEMPTS = """
    select d.attempt_id, d.sha, d.image, s.state
    from deployment_attempt as d join deployment_status as s using (attempt_id)
    where d.content is null and d.image is distinct from 'docker.io/envoyproxy/envoy:v1.31.2'
        and d.service_hint <> 'ingress'
"""


def test_polled_often_every_sync_is_kept_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Long past Argo CD's last ten, with the image each brought, and the failures."""
    host = sandbox.host("argocd")
    settings, world = ArgocdSettings(), sandbox.world
    every = sandbox.organisation.deployment_outcomes
    failed = max(o.started_at for o in every if o.live_at is None)
    begin, end = failed - timedelta(days=6), failed + timedelta(days=2)
    outcomes = [o for o in every if begin < o.started_at < end]
    made = connector(host.url)
    moments = sorted(
        {(o.live_at or o.started_at) + timedelta(minutes=2, seconds=1) for o in outcomes}
    )
    for moment in [begin, *moments]:
        world.visible_until = max(moment, begin)
        assert pull(tmp_path, made).errors == []
    expected = {}
    crowded = set()
    for place in places(world, settings):
        for sync, after in zip(place.syncs, [*place.syncs[1:], None], strict=True):
            if sync.started_at <= begin or sync.ended_at > moments[-1]:
                continue
            number = sync.history_id
            name = f"argo:sync:{place.uid}:{number}"
            if number is None:
                name = f"argo:operation:{place.uid}:{sync.started_at.isoformat()}"
            image = image_of(place.service, sync.outcome) if sync.is_success else None
            if after and after.started_at < sync.ended_at + timedelta(minutes=2, seconds=1):
                crowded.add(name)
            state = "succeeded" if sync.is_success else "failed"
            expected[name] = (revision_of(sync.outcome), image, state)
    assert len(expected) > 30
    assert {state for *_, state in expected.values()} == {"succeeded", "failed"}
    found = {name: tuple(rest) for name, *rest in ask(tmp_path, ATTEMPTS) if name in expected}
    assert set(found) == set(expected)
    assert {n for n in expected if found[n] != expected[n]} <= crowded
    twice = """
        select series, number from deployment_attempt where number is not null
        group by series, number, image having count(*) > 1
    """
    assert ask(tmp_path, twice) == []
    # All of it again, from nothing: what is known of the images stays.
    before = sorted(ask(tmp_path, ATTEMPTS))
    assert pull(tmp_path, made, full=True).errors == []
    assert sorted(ask(tmp_path, ATTEMPTS)) == before


def test_what_was_forgotten_between_pulls_shows_in_the_numbers(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Of a pull a quarter apart the newest ten are there, and how many lay between."""
    host = sandbox.host("argocd", ArgocdSettings(history_limit=3))
    for days in (60, 0):
        sandbox.world.visible_until = END - timedelta(days=days)
        assert pull(tmp_path, connector(host.url)).errors == []
    missed = dict(
        ask(
            tmp_path,
            """
            select service_hint || '/' || environment, max(number) + 1 - count(distinct number)
            from deployment_attempt
            where content is null and service_hint not in ('ingress', 'envoy')
            group by 1
            """,
        )
    )
    truth = {}
    for place in places(sandbox.world, ArgocdSettings()):
        done = [s for s in place.syncs if s.is_success]
        early = [s for s in done if s.ended_at <= END - timedelta(days=60)]
        kept = {s.history_id for s in early[-3:]} | {s.history_id for s in done[-3:]}
        cluster = "prod" if place.is_production else "staging"
        truth[f"{place.service.slug}/{cluster}/{place.environment}"] = len(done) - len(kept)
    assert missed == {name: count for name, count in truth.items() if name in missed}
    assert len(missed) == len(truth)
    assert sum(missed.values()) > 100


def test_nothing_new_is_kept_of_what_is_as_it_was(sandbox: Sandbox, tmp_path: Path) -> None:
    """Times of reconciliation move; a page holds the applications that changed, and no other."""
    host = sandbox.host("argocd")
    made = connector(host.url)
    sandbox.world.visible_until = END - timedelta(days=30)
    first = pull(tmp_path, made)
    assert (first.requests, first.pages) == (1, 1)
    sandbox.world.advance(1)
    again = pull(tmp_path, made)
    assert (again.requests, again.pages) == (1, 0)
    sandbox.world.advance(86400)
    later = pull(tmp_path, made)
    assert 0 < later.items < first.items


def test_an_application_made_again_counts_from_zero(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its syncs have new ids, and those of the one before stay."""
    at = END - timedelta(days=20)
    host = sandbox.host("argocd", ArgocdSettings(recreated_at=at))
    for moment in (at, END):
        sandbox.world.visible_until = moment
        assert pull(tmp_path, connector(host.url)).errors == []
    first = min(sandbox.organisation.services, key=lambda service: service.id)
    everything = ask(
        tmp_path,
        """
        select service_hint, series, min(number), min(created_at) from deployment_attempt
        where environment like 'prod/%' group by 1, 2 order by 4
        """,
    )
    series = [rest for hint, *rest in everything if hint == first.slug]
    assert len(series) == 2
    assert series[1][1] == 0
    assert series[1][2] > at


def test_a_token_of_a_project_reads_the_others_no_worse(sandbox: Sandbox, tmp_path: Path) -> None:
    """A project that is refused is told by name; what is asked for without one is the rest."""
    team = sandbox.organisation.teams[1].slug
    mine = {
        sandbox.organisation.teams[1].slug,
        *(t.slug for t in sandbox.organisation.teams[2:]),
    }
    host = sandbox.host("argocd", ArgocdSettings(projects=frozenset(mine)))
    result = pull(tmp_path, connector(host.url, projects=["default", *sorted(mine)]))
    assert len(result.errors) == 1
    assert "403" in result.errors[0]
    assert "projects=default" in result.errors[0]
    found = ask(
        tmp_path,
        "select count(*), count(*) filter (where content is not null) from deployment_attempt",
    )
    assert found[0][0] > 0
    assert found[0][1] == 0
    levels = findings(connector(host.url, projects=["default", team]), tmp_path)
    assert levels["project default"].level == "error"


def test_namespaces_and_labels_are_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    """As the server's own parameters."""
    slug = sandbox.organisation.services[0].slug
    host = sandbox.host("argocd")
    options = {"app_namespaces": ["argocd"], "selector": f"app.kubernetes.io/name={slug}"}
    assert pull(tmp_path, connector(host.url, **options)).items > 0
    (asked,) = [seen.path for seen in host.requests]
    assert "appNamespace=argocd" in asked
    assert "fields" not in asked
    assert ask(
        tmp_path,
        "select distinct service_hint from deployment_attempt where image not like '%envoy%'",
    ) == [(slug,)]


def application(**status: Any) -> dict[str, Any]:
    """An application of a shop in production."""
    return {
        "metadata": {"uid": "u1", "name": "shop-production", "namespace": "argocd"},
        "spec": {
            "project": "shop",
            "source": {"repoURL": "https://git.x/Acme/Manifests.git", "path": "shop"},
            "destination": {
                "server": "https://kubernetes.default.svc",
                "namespace": "production",
            },
        },
        "status": status,
    }


def entry(number: int, **more: Any) -> dict[str, Any]:
    """A sync in the history, an hour after the one before."""
    at = datetime(2026, 9, 1, 12, tzinfo=UTC) + timedelta(hours=number)
    return {
        "id": number,
        "revision": SHA,
        "deployStartedAt": at.isoformat(),
        "deployedAt": (at + timedelta(minutes=3)).isoformat(),
        "source": {"repoURL": "git@git.x:acme/manifests.git", "path": "shop"},
        **more,
    }


def operation(phase: str, **more: Any) -> dict[str, Any]:
    """The last operation."""
    return {
        "phase": phase,
        "startedAt": "2026-09-02T12:00:00Z",
        "finishedAt": "2026-09-02T12:05:00Z",
        "operation": {"sync": {"revision": OTHER}},
        "syncResult": {"revision": OTHER},
        **more,
    }


def read(*applications: Any, **options: Any) -> Parsed:
    """What a page says."""
    made = connector("https://argocd.x/", **options)
    (stream,) = made.streams()
    (scope,) = made.scopes(stream)
    line = Line(
        connection="argo",
        scope=scope.id,
        attributes=scope.attributes,
        url="https://argocd.x/api/v1/applications",
        requested_at=datetime(2026, 9, 3, tzinfo=UTC),
        body=json.dumps({"items": applications}).encode(),
    )
    return stream.parse(line)


def attempts(*applications: Any, **options: Any) -> list[DeploymentAttempt]:
    """The attempts of a page."""
    return read(*applications, **options).records.get(DeploymentAttempt, [])  # type: ignore[return-value]


def test_what_a_sync_says() -> None:
    """Where from, where to, when, by whom."""
    parsed = read(application(history=[entry(4, initiatedBy={"username": "ada@x.test"})]))
    (found,) = parsed.records[DeploymentAttempt]
    assert found == DeploymentAttempt(
        attempt_id="argo:sync:u1:4",
        repository_key="git.x/acme/manifests",
        service_hint="shop",
        environment="argo/production",
        sha=SHA,
        target="argo",
        created_at=datetime(2026, 9, 1, 16, tzinfo=UTC),
        actor="argo:account:ada@x.test",
        url="https://argocd.x/applications/argocd/shop-production",
        series="argo:application:u1",
        number=4,
        source_updated_at=datetime(2026, 9, 1, 16, 3, tzinfo=UTC),
    )
    assert parsed.records[DeploymentStatus] == [
        DeploymentStatus(
            attempt_id="argo:sync:u1:4",
            status_id="end",
            state="succeeded",
            at=datetime(2026, 9, 1, 16, 3, tzinfo=UTC),
            source_updated_at=datetime(2026, 9, 1, 16, 3, tzinfo=UTC),
        )
    ]
    (account,) = parsed.records[Account]
    assert account.email == "ada@x.test"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (operation("Succeeded"), []),
        (operation("Running", finishedAt=None), []),
        (operation("Failed"), ["failed"]),
        (operation("Error", syncResult=None), ["failed"]),
        (operation("Failed", message="Operation terminated"), ["cancelled"]),
        (operation("Failed", operation={"sync": {"dryRun": True}}), []),
        (operation("Failed", operation={"sync": {"resources": [{"kind": "Job"}]}}), []),
        (operation("Failed", operation={}), []),
    ],
)
def test_the_last_operation_counts_where_no_history_tells_it(
    last: dict[str, Any], expected: list[str]
) -> None:
    """Failures; neither what succeeded, nor rehearsals, nor a part of an application."""
    parsed = read(application(history=[entry(0)], operationState=last))
    states = [s.state for s in parsed.records[DeploymentStatus]]  # type: ignore[attr-defined]
    assert states == ["succeeded", *expected]
    if expected:
        failed = parsed.records[DeploymentAttempt][1]
        assert failed.attempt_id == "argo:operation:u1:2026-09-02T12:00:00+00:00"  # type: ignore[attr-defined]
        assert (failed.sha, failed.number) == (OTHER, None)  # type: ignore[attr-defined]


def test_without_a_history_the_last_operation_is_the_only_witness() -> None:
    """revisionHistoryLimit: 0."""
    parsed = read(application(operationState=operation("Succeeded")))
    assert [s.state for s in parsed.records[DeploymentStatus]] == ["succeeded"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"health": {"status": "Healthy"}}, ["r.x:5000/shop:1", "r.x/envoy:2"]),
        ({"health": {"status": "Progressing"}}, [None]),
        ({"health": {"status": "Suspended"}}, [None]),
        ({}, [None]),
        (
            {
                "health": {"status": "Healthy"},
                "operationState": operation("Running", finishedAt=None),
            },
            [None],
        ),
        (
            {
                "health": {"status": "Healthy"},
                "summary": {"images": ["shop:1", "shop:2", "job@sha256:77"]},
            },
            ["shop", "job@sha256:77"],
        ),
    ],
)
def test_images_are_those_of_the_newest_sync_once_it_runs_alone(
    status: dict[str, Any], expected: list[str | None]
) -> None:
    """The service's own first, a name with several tags without one."""
    summary = {"images": ["r.x/envoy:2", "r.x:5000/shop:1"]}
    found = attempts(application(**{"history": [entry(7), entry(8)], "summary": summary, **status}))
    assert [each.image for each in found] == [None, *expected]
    assert len({each.attempt_id for each in found}) == len(found)
    assert {each.number for each in found[1:]} == {8}
    if expected[0] is not None:
        assert [each.service_hint for each in found[1:]] == [
            "shop",
            found[2].image and ("envoy" if "envoy" in found[2].image else "job"),
        ]


def test_an_application_sets_images_and_tags_itself() -> None:
    """By Kustomize or as a value of a chart: then every sync of the history knows its own."""
    kustomize = {"repoURL": "https://git.x/a/m", "kustomize": {"images": ["shop=r.x/shop:9"]}}
    values = [{"name": "web.image.tag", "value": "1.2"}, {"name": "replicas", "value": "3"}]
    helm = {"repoURL": "https://git.x/a/m", "helm": {"parameters": values}}
    found = attempts(application(history=[entry(0, source=kustomize), entry(1, source=helm)]))
    assert [(each.image, each.release) for each in found] == [("r.x/shop:9", None), (None, "1.2")]


def test_of_several_sources_the_one_that_moved_is_the_commit() -> None:
    """Git before charts; a chart's version is no commit."""
    sources = [
        {"repoURL": "https://charts.x", "chart": "web", "targetRevision": "1.*"},
        {"repoURL": "https://git.x/a/values", "ref": "values"},
        {"repoURL": "https://git.x/a/more", "path": "shop"},
    ]
    found = attempts(
        application(
            history=[
                entry(0, revision="", sources=sources, revisions=["1.0", SHA, SHA]),
                entry(1, revision="", sources=sources, revisions=["1.0", SHA, OTHER]),
                entry(2, revision="", sources=sources, revisions=["1.1", SHA, OTHER]),
                entry(3, revision="", sources=sources[:1], revisions=["1.2"]),
                entry(4, revision="", sources=sources, revisions=["1.2"]),
            ]
        )
    )
    assert [(each.repository_key, each.sha) for each in found] == [
        ("git.x/a/values", SHA),
        ("git.x/a/more", OTHER),
        ("git.x/a/values", SHA),
        ("charts.x/", None),
        ("git.x/a/values", None),
    ]
    assert found[3].ref == "1.2"


def test_an_app_of_apps_is_marked() -> None:
    """It deploys applications alone; one with a workload of its own is a service."""
    child = {"group": "argoproj.io", "kind": "Application"}
    work = {"group": "apps", "kind": "Deployment"}
    for resources, content in (
        ([child, {"kind": "AppProject"}], "applications"),
        ([child, work], None),
        ([work], None),
        ([], None),
    ):
        (found,) = attempts(application(history=[entry(0)], resources=resources))
        assert found.content == content


@pytest.mark.parametrize(
    ("options", "labels", "expected"),
    [
        ({}, {}, ("shop", "argo/production", "argo")),
        ({}, {"env": "live", "app.kubernetes.io/name": "web"}, ("web", "live", "argo")),
        (
            {"clusters": {"https://kubernetes.default.svc/": "eu-1"}},
            {},
            ("shop", "eu-1/production", "eu-1"),
        ),
        ({"environment_from": ["project", "name"]}, {}, ("shop", "shop/shop-production", "argo")),
        (
            {"environment_labels": ["stage"]},
            {"stage": 3, "env": "x"},
            ("shop-production", "3", "argo"),
        ),
    ],
)
def test_service_environment_and_cluster(
    options: dict[str, Any], labels: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """From labels, else from the place; a generated name holds the place."""
    told = application(history=[entry(0)])
    told["metadata"]["labels"] = labels
    if "stage" in labels:
        told["spec"]["destination"]["namespace"] = "web"
    (found,) = attempts(told, **options)
    assert (found.service_hint, found.environment, found.target) == expected


def test_bad_parts_are_rejected_alone() -> None:
    """An entry without a time, an application without a uid; the others are kept."""
    bad = entry(1)
    del bad["deployedAt"]
    nameless = application(history=[entry(0)])
    del nameless["metadata"]["uid"]
    parsed = read(
        application(history=[entry(0), bad, entry(2, id="3"), entry(4, deployedAt="later")]),
        nameless,
        None,
        {"metadata": {"uid": "u2", "name": "bare"}},
        application(history=[entry(0, id=2**70)]),
    )
    found = parsed.records[DeploymentAttempt]
    assert [a.attempt_id for a in found] == ["argo:sync:u1:0", "argo:sync:u1:3"]  # type: ignore[attr-defined]
    assert len(parsed.rejects) == 5
    assert {reject.path for reject in parsed.rejects} >= {
        "$.items[0].status.history[1]",
        "$.items[1]",
    }


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b"<html><body>Argo CD</body></html>"), "web page instead of JSON"),
        (Reply(body=[]), "unknown shape"),
        (Reply(body={"metadata": {}}), "unknown shape"),
        (Reply(body={"items": "many"}), "unknown shape"),
        (Reply(status=401, body={"message": "invalid session: token"}), "wrong or expired"),
        (Reply(status=307, headers={"location": "https://login.x/"}), "refused to follow"),
    ],
)
def test_odd_answers_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, words: str
) -> None:
    """With what to do."""
    with serving(script(reply)) as web:
        made = connector(web.url)
        client = made.client()
        client.be_impatient()
        monkeypatch.setattr(made, "client", lambda: client)
        result = pull(tmp_path, made)
    assert len(result.errors) == 1
    assert words in result.errors[0]
    assert "sandbox-token" not in result.errors[0]


def test_no_application_is_an_answer(tmp_path: Path) -> None:
    """Null in place of a list; a later failure keeps what was known."""
    replies = [
        Reply(body={"items": None}),
        Reply(body={"items": [application(history=[entry(0)])]}),
    ]
    with serving(script(*replies)) as web:
        assert pull(tmp_path, connector(web.url)).errors == []
        assert pull(tmp_path, connector(web.url)).items == 1
    assert ask(tmp_path, "select count(*) from deployment_attempt") == [(1,)]


def findings(made: Argocd, folder: Path) -> dict[str, Finding]:
    """What doctor says, by subject."""
    with made.client() as client:
        client.be_impatient()
        told = made.diagnose(Pull(client, folder, lambda: datetime.now(UTC)))
        return {finding.subject: finding for finding in told}


def token_until(at: datetime) -> str:
    """A JWT that ends then; nobody signed it."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(at.timestamp())}).encode())
    return f"header.{claims.decode().rstrip('=')}.signature"


def test_the_doctor_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that ends soon, applications without a history, nothing visible, a wrong token."""
    without = application()
    without["spec"]["revisionHistoryLimit"] = 0
    items: list[Any] = [without]
    logged_in = True

    def answer(asked: Asked) -> Reply:
        if "userinfo" in asked.path:
            return Reply(body={"loggedIn": logged_in, "username": "leadline"})
        return Reply(body={"items": items or None})

    monkeypatch.setenv("ARGOCD_TOKEN", token_until(datetime.now(UTC) + timedelta(days=3)))
    with serving(answer) as web:
        found = findings(connector(web.url), tmp_path)
        assert "ends on" in found["credential"].message
        assert "revisionHistoryLimit: 0" in found["history"].message
        assert found["applications"].level == "ok"
        items.clear()
        assert findings(connector(web.url), tmp_path)["applications"].level == "error"
        logged_in = False
        assert findings(connector(web.url), tmp_path)["credential"].level == "error"
    assert findings(connector(web.url), tmp_path)["argocd"].level == "error"


def test_an_address_is_needed() -> None:
    """And may end in /api/v1."""
    with pytest.raises(ValidationError, match="needs base_url"):
        ArgocdOptions.model_validate({"token": {"env": "X"}})
    assert connector("http://argo.x/cd/api/v1/").client().base_url == "http://argo.x/cd/"
