"""Jenkins: nothing lost while lists move, ids for good, odd answers told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from connectors.connector import Line, Parsed, Pull
from connectors.jenkins import Jenkins, JenkinsOptions
from connectors.jenkins_wire import BUILD
from connectors.records import PipelineJob, PipelineRun
from pipelines.sync import SyncResult
from sandbox.generate import build_organisation
from sandbox.jenkins import JenkinsSettings
from sandbox.server import Sandbox
from sandbox.world import RUNS
from tests import pulling
from tests.connectors.jenkins_fake import (
    BRANCHES,
    MINUTE,
    START,
    Controller,
    build,
    checkout,
    running,
)
from tests.connectors.web import Asked, Reply, Web, serving
from tests.e2e.comparison import differing, records_of
from tests.e2e.demo_world import END

SHA = "a1" * 20


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", "sandbox-token")


@pytest.fixture
def controller() -> Iterator[tuple[Controller, Web]]:
    """An empty controller, and the server in front of it."""
    made = Controller()
    with serving(made.answer) as web:
        yield made, web


def connector(url: str, **more: Any) -> Jenkins:
    """A connection to a controller."""
    options = {"base_url": url, "user": "leadline", "token": {"env": "JENKINS_TOKEN"}, **more}
    return Jenkins("ci", JenkinsOptions.model_validate(options))


def now() -> datetime:
    """Some days after the builds of the made-up controller."""
    return datetime.fromtimestamp(START / 1000, UTC) + timedelta(days=3)


def pull(folder: Path, made: Jenkins, **more: Any) -> SyncResult:
    """Pull into a data folder."""
    return pulling.pull(folder, made, **{"now": now, **more})


def runs(folder: Path, columns: str = "name, status, run_id") -> list[tuple[Any, ...]]:
    """Load what was pulled there; its runs."""
    return pulling.ask(
        folder, f"select {columns} from pipeline_run where deleted_at is null order by all"
    )


def asked(web: Web) -> list[str]:
    """The paths that were asked for since the last look, without their trees."""
    found = [unquote(each.path).replace(BUILD, "…") for each in web.asked]
    web.asked.clear()
    return found


def test_builds_that_appear_while_ranges_are_read_make_none_twice_or_lost(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Two new builds between any two ranges, and all are there after the next pull."""
    made, web = controller
    made.jobs["shop"] = [build(number) for number in range(1, 351)]

    def grow(path: str) -> None:
        if "allBuilds" in path and len(made.jobs["shop"]) < 360:
            number = len(made.jobs["shop"]) + 1
            made.jobs["shop"] += [build(number), build(number + 1)]

    made.before = grow
    assert pull(tmp_path, connector(web.url)).errors == []
    assert pull(tmp_path, connector(web.url)).errors == []
    found = runs(tmp_path)
    assert len(found) == len({run_id for _, _, run_id in found}) == len(made.jobs["shop"])


def test_builds_that_vanish_while_ranges_are_read_hide_no_others(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Somebody removes the newest: those that move up are read all the same."""
    made, web = controller
    made.jobs["shop"] = [build(number) for number in range(1, 351)]
    times = 0

    def shrink(path: str) -> None:
        nonlocal times
        times += "allBuilds" in path
        if times in {2, 4}:
            del made.jobs["shop"][-7:]

    made.before = shrink
    assert pull(tmp_path, connector(web.url)).errors == []
    numbers = {int(url.rstrip("/").rpartition("/")[2]) for (url,) in runs(tmp_path, "url")}
    assert numbers >= set(range(1, 337))


def test_a_list_that_only_shrinks_is_told(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Not read in a circle."""
    made, web = controller
    made.jobs["shop"] = [build(number) for number in range(1, 2000)]

    def shrink(path: str) -> None:
        if "allBuilds" in path:
            del made.jobs["shop"][-60:]

    made.before = shrink
    result = pull(tmp_path, connector(web.url))
    assert len(result.errors) <= 1
    assert len(asked(web)) < 60


def test_a_pull_asks_for_what_is_new_alone(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Nothing new: one request. A build more: a range of two; what ran is asked for again."""
    made, web = controller
    made.jobs = {"shop": [build(n) for n in range(1, 121)], "cart": [build(1)], "new": []}
    assert pull(tmp_path, connector(web.url)).items == 122
    asked(web)
    assert pull(tmp_path, connector(web.url)).pages == 0
    assert len(asked(web)) == 1
    made.jobs["shop"].append(running(121))
    pull(tmp_path, connector(web.url))
    assert asked(web)[1:] == ["/job/shop/api/json?tree=_class,allBuilds[…]{0,3}"]
    assert ("shop", "running") in [row[:2] for row in runs(tmp_path)]
    pull(tmp_path, connector(web.url))
    assert asked(web)[1:] == ["/job/shop/121/api/json?tree=…"]
    made.jobs["shop"][-1] = build(121)
    pull(tmp_path, connector(web.url))
    assert "running" not in [row[1] for row in runs(tmp_path)]
    asked(web)
    pull(tmp_path, connector(web.url))
    assert len(asked(web)) == 1


def test_a_job_made_anew_keeps_the_old_builds_apart(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Its numbers start again; a build that was under way is not taken for another."""
    made, web = controller
    made.jobs["shop"] = [build(1), build(2), running(3)]
    pull(tmp_path, connector(web.url))
    made.jobs["shop"] = [build(n, minute=100 + n) for n in (1, 2, 3)]
    pull(tmp_path, connector(web.url))
    found = runs(tmp_path, "status, started_at, run_id")
    assert len({run_id for _, _, run_id in found}) == 6
    assert sorted(status for status, _, _ in found) == ["running"] + ["succeeded"] * 5
    asked(web)
    pull(tmp_path, connector(web.url))
    assert len(asked(web)) == 1


def test_a_renamed_job_has_its_builds_once(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Under the new name; what the queue gave a build goes with it."""
    made, web = controller
    made.jobs["shop"] = [build(1), build(2)]
    pull(tmp_path, connector(web.url))
    made.jobs["store"] = made.jobs.pop("shop")
    pull(tmp_path, connector(web.url), now=lambda: now() + timedelta(hours=1))
    assert [row[0] for row in runs(tmp_path)] == ["store", "store"]


def test_discarded_builds_and_removed_jobs_stay(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """What was received once happened, however many full passes do not show it."""
    made, web = controller
    made.jobs = {"shop": [build(n) for n in range(1, 31)], "old": [build(1, 500)]}
    pull(tmp_path, connector(web.url))
    made.jobs = {"shop": [build(n) for n in range(28, 33)]}
    for hours in (1, 2, 3):
        at = now() + timedelta(hours=hours)
        assert pull(tmp_path, connector(web.url), full=True, now=lambda at=at: at).errors == []
    assert len(runs(tmp_path)) == 33


def test_jobs_are_found_through_folders_by_the_configured_address(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """However deep, with branches as Jenkins writes them, and never by the root URL."""
    made, web = controller
    made.jobs = {
        "acme/shop/feature%2Fpay": [build(1)],
        "a/b/c/d/e": [build(1, 10)],
        "acme/shop/PR-7": [
            build(2, actions=[{"causes": [{"_class": "jenkins.branch.BranchEventCause"}]}])
        ],
    }
    made.kinds = {"acme": "jenkins.branch.OrganizationFolder", "acme/shop": BRANCHES}
    made.jobs["left/out/x"] = [build(1, 20)]
    assert pull(tmp_path, connector(web.url, exclude=["left"])).errors == []
    assert any("/job/acme/job/shop/job/feature%252Fpay/" in each.path for each in web.asked)
    assert runs(tmp_path, "name, branch, event, replace(url, '" + web.url + "', '')") == [
        ("a/b/c/d/e", None, None, "/job/a/job/b/job/c/job/d/job/e/1/"),
        (
            "acme/shop/PR-7",
            "PR-7",
            "pull_request",
            "/job/acme/job/shop/job/PR-7/2/",
        ),
        (
            "acme/shop/feature/pay",
            "feature/pay",
            None,
            "/job/acme/job/shop/job/feature%252Fpay/1/",
        ),
    ]
    other = tmp_path / "other"
    other.mkdir()
    pull(other, connector(web.url, jobs=["acme/*"]))
    assert len(runs(other)) == 2


def test_stages_are_read_where_asked_and_missing_ones_are_no_error(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """Of pipelines alone; a controller without the plugin is asked once a job."""
    made, web = controller
    made.jobs = {"deploy": [build(1), build(2)], "plain": [build(9, 9)]}
    result = pull(tmp_path, connector(web.url, stages=["deploy"]))
    assert result.errors == []
    assert sum("wfapi" in path for path in asked(web)) == 1
    made.stages = {
        number: [
            {
                "id": "6",
                "name": "Deploy to production",
                "status": status,
                "startTimeMillis": START + number * MINUTE,
                "durationMillis": 1500,
            }
        ]
        for number, status in ((1, "SUCCESS"), (2, "PAUSED_PENDING_INPUT"))
    }
    other = tmp_path / "with"
    other.mkdir()
    assert pull(other, connector(web.url, stages=["deploy"])).errors == []
    runs(other)
    found = records_of(other)["main.pipeline_job"]
    assert len(found) == 2
    assert sum("Deploy to production" in row and "'succeeded'" in row for row in found) == 1
    assert sum("'running'" in row for row in found) == 1


def parsed(*builds: Any, **attributes: str) -> Parsed:
    """What a range of builds says."""
    line = Line(
        connection="ci",
        scope="job/shop/",
        attributes={"name": "shop", "path": "job/shop/", "address": "https://ci.x/", **attributes},
        url="https://ci.x/job/shop/api/json",
        requested_at=datetime(2026, 9, 1, tzinfo=UTC),
        body=json.dumps({"allBuilds": builds}).encode(),
    )
    return connector("https://ci.x").streams()[1].parse(line)


def run_of(raw: dict[str, Any], **attributes: str) -> PipelineRun:
    """The one run."""
    (found,) = parsed(raw, **attributes).records[PipelineRun]
    assert isinstance(found, PipelineRun)
    return found


def test_a_build_becomes_a_run() -> None:
    """With its causes, parameters and the time it waited before its number."""
    found = parsed(
        build(
            7,
            actions=[
                None,
                {},
                {
                    "causes": [
                        {
                            "_class": "hudson.model.Cause$UserIdCause",
                            "userId": "ada",
                        }
                    ]
                },
                {
                    "parameters": [
                        {"name": "ENVIRONMENT", "value": "production"},
                        {"name": "DRY", "value": False},
                        {"name": "SECRET"},
                        {"name": "LONG", "value": "x" * 501},
                    ]
                },
                {"waitingDurationMillis": 5000, "buildableDurationMillis": 7000},
                checkout("git@git.x:acme/shop.git", SHA.upper(), "refs/remotes/origin/main"),
            ],
        )
    )
    (run,) = found.records[PipelineRun]
    assert isinstance(run, PipelineRun)
    started = datetime.fromtimestamp((START + 7 * MINUTE) / 1000, UTC)
    assert (run.queued_at, run.started_at) == (started - timedelta(seconds=12), started)
    assert run.finished_at == started + timedelta(minutes=1)
    assert (run.repository_key, run.sha, run.branch) == ("git.x/acme/shop", SHA, "main")
    assert (run.event, run.actor) == ("manual", "ci:account:ada")
    assert run.parameters == ["ENVIRONMENT=production", "DRY=false"]
    assert run.url == "https://ci.x/job/shop/7/"


@pytest.mark.parametrize(
    ("result", "building", "status"),
    [
        ("SUCCESS", False, "succeeded"),
        ("UNSTABLE", False, "succeeded"),
        ("FAILURE", False, "failed"),
        ("ABORTED", False, "cancelled"),
        ("NOT_BUILT", False, "skipped"),
        ("FAILURE", True, "running"),
        (None, False, "running"),
        ("ODD", False, "failed"),
    ],
)
def test_how_a_build_ended(result: str | None, building: bool, status: str) -> None:
    """A result that is set before the end is none yet."""
    run = run_of(build(1, result=result, building=building))
    assert run.status == status
    assert (run.finished_at is None) == (status == "running")


def test_the_checkout_that_a_build_is_about() -> None:
    """Not the shared library's; addresses may be made of parameters; what is none stays away."""
    library = checkout("https://git.x/acme/library.git", "b2" * 20, "main")
    own = checkout("https://git.x/acme/shop.git", SHA, "feature/pay")
    config = checkout("https://git.x/acme/config.git", "c3" * 20, "main")
    run = run_of(build(1, actions=[library, own, config]), branch="feature/pay")
    assert (run.repository_key, run.sha) == ("git.x/acme/shop", SHA)
    assert run_of(build(1, actions=[library, own])).repository_key == "git.x/acme/shop"
    told = {
        "parameters": [
            {"name": "BASE", "value": "https://git.x/$TEAM"},
            {"name": "TEAM", "value": "a"},
        ]
    }
    made = checkout("${BASE}/shop", SHA, "detached")
    run = run_of(build(1, actions=[told, made]))
    assert (run.repository_key, run.branch) == ("git.x/a/shop", None)
    assert run_of(build(1, actions=[checkout("$BASE/x", SHA, "m")])).repository_key is None
    assert run_of(build(1, actions=[{"remoteUrls": [None]}])).repository_key is None
    looping = {"parameters": [{"name": "A", "value": "https://$A$A"}]}
    assert run_of(build(1, actions=[looping, checkout("$A", SHA, "m")])).repository_key is None


def test_a_bad_build_is_rejected_alone() -> None:
    """With its place; of an action only the action."""
    found = parsed(
        build(1),
        build(2, timestamp="soon"),
        build(3, timestamp=10**18),
        build(4, actions=["what", {"causes": "none"}, {}]),
        None,
        "build",
        {**build(5), "number": None},
        build(6, duration=10**17),
    )
    assert len(found.records[PipelineRun]) == 2
    paths = [reject.path for reject in found.rejects]
    assert paths == [
        "$.allBuilds[1]",
        "$.allBuilds[2]",
        "$.allBuilds[3].actions[0]",
        "$.allBuilds[3].actions[1]",
        "$.allBuilds[4]",
        "$.allBuilds[5]",
        "$.allBuilds[6]",
        "$.allBuilds[7]",
    ]


def test_a_page_without_jobs_names_the_remedy(tmp_path: Path) -> None:
    """Whatever answers there is no Jenkins."""
    with serving(lambda _: Reply(body={"hello": 1})) as web:
        (error,) = pull(tmp_path, connector(web.url)).errors
    assert "check that base_url is the address of a Jenkins controller" in error


def test_no_credential_goes_to_another_host(tmp_path: Path) -> None:
    """A controller that sends everybody to its root URL is not followed."""
    with serving(lambda _: Reply(body={})) as other:
        target = other.url.replace("127.0.0.1", "localhost") + "/api/json"
        with serving(lambda _: Reply(302, b"", {"location": target})) as web:
            (error,) = pull(tmp_path, connector(web.url)).errors
        assert "refused to follow" in error
        assert other.asked == []


def test_a_controller_that_starts_is_waited_for(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """It answers 503 with a page for people until it is ready."""
    made, web = controller
    made.jobs["shop"] = [build(1)]
    left = [2]

    def starting(request: Asked) -> Reply:
        if left[0]:
            left[0] -= 1
            page = b"<html>Jenkins is getting ready to work</html>"
            return Reply(503, page, {"retry-after": "0"})
        return made.answer(request)

    web.answering = starting
    assert pull(tmp_path, connector(web.url)).errors == []
    assert len(runs(tmp_path)) == 1


def findings(made: Jenkins) -> dict[str, str]:
    """What doctor says, by subject."""
    with made.client() as client:
        client.be_impatient()
        told = made.diagnose(Pull(client, Path(), lambda: datetime.now(UTC)))
        return {finding.subject: f"{finding.level}: {finding.message}" for finding in told}


def test_doctor_tells_what_is_wrong(controller: tuple[Controller, Web]) -> None:
    """A server that is none, a user nobody knows, no jobs, no stages, a wrong token."""
    made, web = controller
    made.headers = {}
    made.is_anonymous = True
    found = findings(connector(web.url))
    assert found["server"].startswith("warning: the answer has no X-Jenkins header")
    assert found["credential"].startswith("error: the controller takes us for anonymous")
    assert found["jobs"].startswith("error: none visible")
    made.headers = {"x-jenkins": "2.516.2"}
    made.jobs = {"a/shop": [build(1)]}
    found = findings(connector(web.url, stages=["*"]))
    assert found["server"] == "ok: Jenkins 2.516.2"
    assert found["jobs"] == "ok: 1 visible, in 1 folders"
    assert found["stages"].startswith("warning: not told")
    made.stages = {1: []}
    assert findings(connector(web.url, stages=["*"]))["stages"] == "ok: told"
    with serving(lambda _: Reply(401, b"<html>Invalid password</html>")) as wrong:
        assert "the token is wrong or expired" in findings(connector(wrong.url))["jenkins"]


def test_the_sandbox_is_read_as_it_is(tmp_path: Path) -> None:
    """Every run of the organisation is there with its moments, branch and end; and no other."""
    organisation = build_organisation(engineers=6, months=3, services=4, end=END)
    settings = JenkinsSettings(context_path="/jenkins", deployments=False)
    with Sandbox(organisation, tmp_path / "git") as sandbox:
        host = sandbox.host("jenkins", settings)
        made = connector(host.url + settings.context_path)
        result = pull(tmp_path, made, now=lambda: END)
        assert result.errors == []
        expected = sorted(
            (
                f"github.com/{repository.full_name}".lower(),
                run.head_sha,
                run.head_branch,
                run.created_at,
                run.started_at,
                run.updated_at if run.status == "completed" else None,
            )
            for repository in organisation.repositories
            for run in sandbox.world.things(RUNS, repository.id)
            if run.name != "Deploy" and run.started_at <= END
        )
    found = runs(tmp_path, "repository_key, sha, branch, queued_at, started_at, finished_at, name")
    assert sorted(row[:6] for row in found if not row[6].startswith("deploy/")) == expected
    assert len(expected) > 20


def test_pulled_day_by_day_as_if_at_once(tmp_path: Path) -> None:
    """A controller that moves between pulls ends in the same runs, by small ranges too."""
    organisation = build_organisation(engineers=5, months=1, services=3, end=END)
    with (
        pytest.MonkeyPatch.context() as patched,
        Sandbox(organisation, tmp_path / "git") as sandbox,
    ):
        patched.setattr("connectors.jenkins_builds.BUILDS_A_PAGE", 3)
        made = connector(sandbox.host("jenkins").url, stages=["*"])
        for days in (20, 14, 9, 5, 2, 1, 0):
            moment = END - timedelta(days=days, minutes=-3)
            sandbox.world.visible_until = min(moment, END)
            result = pull(tmp_path / "slowly", made, now=lambda at=moment: at)
            assert result.errors == []
        assert pull(tmp_path / "at once", made, now=lambda: END).errors == []
    slowly, at_once = tmp_path / "slowly", tmp_path / "at once"
    assert len(runs(slowly)) == len(runs(at_once)) > 20
    tables = ("main.pipeline_run", "main.pipeline_job", "main.account")
    assert (
        differing(
            {name: records_of(at_once)[name] for name in tables},
            {name: records_of(slowly)[name] for name in tables},
        )
        == {}
    )


def test_who_started_a_build_is_asked_for_once(
    controller: tuple[Controller, Web], tmp_path: Path
) -> None:
    """With the address that tells who it is elsewhere; who is gone is no error."""
    made, web = controller
    causes = [
        {"_class": "hudson.model.Cause$UserIdCause", "userId": user} for user in ("ada b", "gone")
    ]
    made.users["ada b"] = {
        "id": "ada b",
        "fullName": "Ada",
        "property": [{}, {"address": "a@x.test"}],
    }
    made.jobs["shop"] = [
        build(number, actions=[{"causes": [causes[number % 2]]}]) for number in range(1, 9)
    ]
    assert pull(tmp_path, connector(web.url)).errors == []
    assert sum("/user/" in path for path in asked(web)) == 2
    runs(tmp_path)
    (account,) = records_of(tmp_path)["main.account"]
    assert "'ci:account:ada b', 'ada b', 'Ada', 'a@x.test'" in account
    made.jobs["shop"].append(build(9, actions=[{"causes": [causes[0]]}]))
    pull(tmp_path, connector(web.url))
    assert not [path for path in asked(web) if "ada" in path]


def test_stage_rows_of_the_wrong_kind_are_rejected() -> None:
    """One by one."""
    line = Line(
        connection="ci",
        scope="job/shop/",
        attributes={"holds": "stages", "run": "1"},
        url="https://ci.x/job/shop/1/wfapi/describe",
        requested_at=datetime(2026, 9, 1, tzinfo=UTC),
        body=json.dumps({"stages": [{"id": "1", "name": "a"}, {"name": "b"}, 7]}).encode(),
    )
    found = connector("https://ci.x").streams()[1].parse(line)
    assert len(found.records[PipelineJob]) == 1
    assert len(found.rejects) == 2
