"""Every wrong setting gets one line: file, line, key, what is wrong, what to write."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from connectors.connector import ConnectionOptions, Connector, Scope, Stream
from connectors.git import GitConnector, GitOptions
from connectors.secret import Secret
from pipelines import settings
from pipelines.files import DataFolder
from pipelines.settings import SettingsError

SECTIONS = ", ".join(settings.Settings.model_fields)


class ForgeOptions(ConnectionOptions):
    """Options with a secret, as a vendor's connection has."""

    organisation: str = Field(description="whose repositories are read")
    token: Secret | None = Field(None, description="a token")
    ports: list[int] = Field([], description="numbers")


class Forge(Connector):
    """A kind of connection that this test owns, so that messages do not change with others."""

    kind: ClassVar[str] = "forge"
    title: ClassVar[str] = "Forge"
    options_type = ForgeOptions

    def streams(self) -> tuple[Stream, ...]:
        return ()

    def scopes(self, stream: Stream) -> tuple[Scope, ...]:  # noqa: ARG002
        return ()


@pytest.fixture(autouse=True)
def only_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "kinds", lambda: {"forge": Forge})


CASES: dict[str, tuple[str, str]] = {
    "a misspelt section": (
        '[organization]\nname = "x"',
        '1: organization: no such setting; did you mean "organisation"?',
    ),
    "a section unlike any": ("[zzz]\nname = 1", f"1: zzz: no such setting; known: {SECTIONS}"),
    "a misspelt key": (
        '[organisation]\nname = "x"\nzon = "UTC"',
        '3: organisation.zon: no such setting; did you mean "zone"?',
    ),
    "a key unlike any": (
        "[operation]\nqqqq = 1",
        (
            "2: operation.qqqq: no such setting; known: sync_schedule, full_pass_hours, keep_builds, "  # noqa: E501
            "memory_limit_gb, author"
        ),
    ),
    "a misspelt key in the second of several tables": (
        (
            '[[services]]\nname = "a"\nrepository = "r"\n\n[[services]]\nname = "b"\nrepo = "s"\n'
            'repository = "s"'
        ),
        '7: services[2].repo: no such setting; did you mean "repository"?',
    ),
    "a misspelt zone": (
        '[organisation]\nzone = "Europe/Berln"',
        '2: organisation.zone: "Europe/Berln" is no IANA time zone; did you mean "Europe/Berlin"?',
    ),
    "an offset as zone": (
        '[organisation]\nzone = "+02:00"',
        '2: organisation.zone: "+02:00" is no IANA time zone; write one such as "Europe/Berlin"',
    ),
    "a number for text": (
        "[organisation]\nzone = 2",
        "2: organisation.zone: must be text in quotes, not 2",
    ),
    "an empty name": ('[organisation]\nname = ""', "2: organisation.name: must not be empty"),
    "an unknown weekday": (
        '[organisation]\nworking_days = ["mon", "tuesday"]',
        (
            "2: organisation.working_days[2]: must be one of mon, tue, wed, thu, fri, sat, sun, not "  # noqa: E501
            '"tuesday"'
        ),
    ),
    "no weekday": (
        "[organisation]\nworking_days = []",
        "2: organisation.working_days: must not be empty",
    ),
    "hours that end before they start": (
        '[organisation]\nworking_hours = ["17:00", "09:00"]',
        "2: organisation.working_hours: the day must start before it ends",
    ),
    "three hours": (
        '[organisation]\nworking_hours = ["09:00", "12:00", "17:00"]',
        '2: organisation.working_hours: must be start and end of the day, ["09:00", "17:00"]',
    ),
    "an hour in words": (
        '[organisation]\nworking_hours = ["nine", "17:00"]',
        '2: organisation.working_hours[1]: must be a time like "09:00", not "nine"',
    ),
    "a country by name": (
        '[organisation]\nholidays = "Germany"',
        (
            '2: organisation.holidays: no holiday calendar for country "Germany"; write an ISO code '  # noqa: E501
            'such as "DE", or "DE-BE" for one of its regions'
        ),
    ),
    "a region that is none": (
        '[organisation]\nholidays = "NZ-XX"',
        (
            '2: organisation.holidays: no region "XX" for NZ; known: AUK, BOP, CAN, CIT, GIS, HKB, '
            "MBH, MWT, NSN, NTL, OTA, STL, TAS, TKI, WGN, WKO, WTC, South Canterbury"
        ),
    ),
    "a date as people write it": (
        '[organisation]\nextra_holidays = ["31.12.2026"]',
        '2: organisation.extra_holidays[1]: must be a date like 2026-01-31, not "31.12.2026"',
    ),
    "text for a section": (
        'organisation = "x"',
        '1: organisation: must be a table, [name] or { … }, not "x"',
    ),
    "a broken pattern": (
        '[deployments]\ntag_pattern = "v("',
        (
            "2: deployments.tag_pattern: this is no regular expression: missing ), unterminated "
            "subpattern at position 1"
        ),
    ),
    "a pattern that looks ahead": (
        '[deployments]\ntag_pattern = "v(?=1)"',
        (
            "2: deployments.tag_pattern: this regular expression cannot be used: "
            "invalid perl operator: (?="
        ),
    ),
    "an exclusion without a condition": (
        '[[exclusions]]\nreason = "x"',
        (
            "1: exclusions[1]: says only why: add author, label, title, path or repository to say "
            "which changes"
        ),
    ),
    "a goal for no metric": (
        '[[goals]]\nmetric = "lead_time"\ntarget = "2 d"',
        (
            "2: goals[1].metric: must be one of deployment_frequency, change_lead_time, "
            "change_fail_rate, failed_deployment_recovery_time, deployment_rework_rate, "
            'not "lead_time"'
        ),
    ),
    "a goal in another unit": (
        '[[goals]]\nmetric = "change_lead_time"\ntarget = "10 %"',
        ('1: goals[1]: "10 %" is no duration; write one such as "2 d" (min, h, d, w or mo)'),
    ),
    "two goals for one team": (
        (
            '[[goals]]\nmetric = "change_lead_time"\ntarget = "2 d"\nteam = "A"\n'
            '[[goals]]\nmetric = "change_lead_time"\ntarget = "3 d"\nteam = "a"'
        ),
        '6: goals[2].metric: change_lead_time has two goals for team "a"; keep one',
    ),
    "two goals for everybody": (
        (
            '[[goals]]\nmetric = "change_lead_time"\ntarget = "2 d"\n'
            '[[goals]]\nmetric = "change_lead_time"\ntarget = "3 d"'
        ),
        "5: goals[2].metric: change_lead_time has two goals for all teams; keep one",
    ),
    "a report that does not exist": (
        "[references]\nreport = 2020",
        "2: references.report: must be one of 2019, 2021, 2022, 2023, 2024, 2025, not 2020",
    ),
    "a broken pattern of a rule": (
        '[[deployments.rules]]\nrepository = "a"\norigin = "tag"\npattern = "["',
        (
            "4: deployments.rules[1].pattern: this is no regular expression: unterminated character "  # noqa: E501
            "set at position 0"
        ),
    ),
    "an origin that is none": (
        '[[deployments.rules]]\nrepository = "a"\norigin = "tags"',
        (
            "3: deployments.rules[1].origin: must be one of deployments_api, ci, tag, release, file, "  # noqa: E501
            'merge, not "tags"'
        ),
    ),
    "a rule for no repository": (
        '[[deployments.rules]]\norigin = "tag"',
        "1: deployments.rules[1].repository: this setting is required",
    ),
    "a service that stands twice": (
        '[[services]]\nname = "a"\nrepository = "r"\n[[services]]\nname = "a"\nrepository = "s"',
        '5: services[2].name: "a" stands twice among the services',
    ),
    "a team that stands twice": (
        '[[teams]]\nname = "a"\n[[teams]]\nname = "a"',
        '4: teams[2].name: "a" stands twice among the teams',
    ),
    "a team above itself": (
        '[[teams]]\nname = "a"\nparent = "b"\n[[teams]]\nname = "b"\nparent = "a"',
        '3: teams[1].parent: team "a" is above itself',
    ),
    "an account of two people": (
        '[[people]]\nname = "A"\naccounts = ["a"]\n[[people]]\nname = "B"\naccounts = ["A"]',
        '6: people[2].accounts: "A" already belongs to people[1]',
    ),
    "a person without accounts": (
        '[[people]]\nname = "A"\naccounts = []',
        "3: people[1].accounts: must not be empty",
    ),
    "neither true nor false": (
        '[[people]]\nname = "A"\naccounts = ["a"]\nis_bot = "maybe"',
        '4: people[1].is_bot: must be true or false, not "maybe"',
    ),
    "a schedule in words": (
        '[operation]\nsync_schedule = "hourly"',
        (
            '2: operation.sync_schedule: "hourly" is no cron expression: it needs 5 fields, not 1; '
            'write one such as "0 * * * *" (every full hour)'
        ),
    ),
    "a minute that never comes": (
        '[operation]\nsync_schedule = "61 * * * *"',
        (
            '2: operation.sync_schedule: "61 * * * *" is no cron expression: the minute "61" must be '  # noqa: E501
            "*, or numbers from 0 to 59"
        ),
    ),
    "no builds kept": (
        "[operation]\nkeep_builds = 0",
        "2: operation.keep_builds: must be at least 1, not 0",
    ),
    "no memory": (
        "[operation]\nmemory_limit_gb = 0",
        "2: operation.memory_limit_gb: must be greater than 0, not 0",
    ),
    "words for a number": (
        '[operation]\nfull_pass_hours = "daily"',
        '2: operation.full_pass_hours: must be a number, not "daily"',
    ),
    "a data folder without a name": (
        'data = ""',
        '1: data: must name a folder, such as ".leadline"',
    ),
    "a number as data folder": ("data = 5", "1: data: must be a path in quotes, not 5"),
    "connections as an array": (
        '[[connections]]\nkind = "forge"',
        "1: connections: must be tables, one a connection: [connections.github]",
    ),
    "a connection at the top": (
        '[forge]\norganisation = "o"',
        "1: forge: write a connection as [connections.forge]",
    ),
    "text for a connection": (
        '[connections]\nforge = "x"',
        "2: connections.forge: a connection is a table: [connections.forge]",
    ),
    "a connection with a name of its own making": (
        '[connections."My Forge"]\nkind = "forge"',
        (
            "1: connections.My Forge: a connection is named by lower-case letters, digits, - and _; "  # noqa: E501
            "at most 40"
        ),
    ),
    "a misspelt kind": (
        '[connections.main]\nkind = "forg"',
        '2: connections.main.kind: no connector of kind "forg"; did you mean "forge"?',
    ),
    "a kind unlike any": (
        '[connections.main]\nkind = "xx"',
        '2: connections.main.kind: no connector of kind "xx"; known: forge',
    ),
    "no kind": (
        '[connections.main]\norganisation = "o"',
        '1: connections.main: kind is missing, and "main" is none; known: forge',
    ),
    "a schedule of a connection": (
        '[connections.forge]\norganisation = "o"\nschedule = "* * *"',
        (
            '3: connections.forge.schedule: "* * *" is no cron expression: it needs 5 fields, not 3; '  # noqa: E501
            'write one such as "0 * * * *" (every full hour)'
        ),
    ),
    "a misspelt option": (
        '[connections.forge]\norganisation = "o"\nconcurency = 2',
        '3: connections.forge.concurency: no such setting; did you mean "concurrency"?',
    ),
    "a required option left out": (
        "[connections.forge]\nconcurrency = 2",
        "1: connections.forge.organisation: this setting is required",
    ),
    "too much at once": (
        '[connections.forge]\norganisation = "o"\nconcurrency = 100',
        "3: connections.forge.concurrency: must be at most 32, not 100",
    ),
    "a start in words": (
        '[connections.forge]\norganisation = "o"\nstart_date = "January"',
        '3: connections.forge.start_date: must be a date like 2026-01-31, not "January"',
    ),
    "a number for a list": (
        '[connections.forge]\norganisation = "o"\nports = 5',
        "3: connections.forge.ports: must be a list, [ … ], not 5",
    ),
    "a secret in the file": (
        '[connections.forge]\norganisation = "o"\ntoken = "canary-93f1"',
        (
            '3: connections.forge.token: write a secret as { env = "NAME" } or { file = "path" }, '
            "never into the settings"
        ),
    ),
    "a secret that is a number": (
        '[connections.forge]\norganisation = "o"\ntoken = 931931931',
        "3: connections.forge.token: must be a table, [name] or { … }",
    ),
    "a secret at two places": (
        '[connections.forge]\norganisation = "o"\ntoken = { env = "A", file = "b" }',
        (
            '3: connections.forge.token: a secret needs exactly one of { env = "NAME" } or '
            '{ file = "path" }'
        ),
    ),
    "a secret at an unknown place": (
        '[connections.forge]\norganisation = "o"\ntoken = { value = "canary-93f1" }',
        "3: connections.forge.token.value: no such setting; known: env, file",
    ),
    "a table that is not closed": (
        '[organisation\nname = "x"',
        "1: this is not TOML: Expected ']' at the end of a table declaration",
    ),
    "text without quotes": ("\ndata = .leadline", "2: this is not TOML: Invalid value"),
    "a key twice": (
        '[organisation]\nname = "x"\nname = "y"',
        "3: this is not TOML: Cannot overwrite a value",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_wrong_setting_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    """Each case gives exactly its message, and never what may be a secret."""
    text, message = CASES[name]
    path = tmp_path / "leadline.toml"
    with pytest.raises(SettingsError) as caught:
        settings.parse(text.encode(), path)
    assert str(caught.value) == f"{path}:{message}"
    assert "canary" not in str(caught.value)
    assert "931931931" not in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Nobody mends a file one message at a time."""
    text = '[connections.main]\nkind = "forg"\n\n[organisation]\nzon = "x"\nname = 5\n'
    with pytest.raises(SettingsError) as caught:
        settings.parse(text.encode(), tmp_path / "leadline.toml")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "6", "5"]


@pytest.mark.parametrize(
    ("content", "line"), [('\nname = "Zürich"\n'.encode("latin-1"), 2), ("a".encode("utf-16"), 1)]
)
def test_other_encodings_are_refused(content: bytes, line: int, tmp_path: Path) -> None:
    """A file that is not UTF-8 is named with the line of the first wrong byte."""
    path = tmp_path / "leadline.toml"
    with pytest.raises(SettingsError) as caught:
        settings.parse(content, path)
    assert str(caught.value) == f"{path}:{line}: this is not UTF-8 text; save the file as UTF-8"


def test_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    """Editors on Windows put a mark before UTF-8 text; it is no mistake."""
    content = b'\xef\xbb\xbf[organisation]\nname = "x"\n'
    assert settings.parse(content, tmp_path / "leadline.toml").organisation.name == "x"


def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """A folder named leadline.toml is not silently passed over."""
    path = tmp_path / "leadline.toml"
    path.mkdir()
    with pytest.raises(SettingsError) as caught:
        settings.load(tmp_path)
    assert str(caught.value) == f"{path}: this is a folder; the settings are a file"


def test_named_file_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LEADLINE_SETTINGS that leads nowhere is an error, not the defaults."""
    monkeypatch.setenv("LEADLINE_SETTINGS", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError) as caught:
        settings.load()
    message = f"{tmp_path / 'none.toml'}: there is no such file; LEADLINE_SETTINGS names it"
    assert str(caught.value) == message


def test_named_file_wins_over_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LEADLINE_SETTINGS names the file for processes that start elsewhere."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "leadline.toml").write_text('organisation.name = "here"', encoding="utf-8")
    (tmp_path / "other.toml").write_text('organisation.name = "other"', encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("LEADLINE_DATA", raising=False)
    assert settings.load().organisation.name == "here"
    monkeypatch.setenv("LEADLINE_SETTINGS", str(tmp_path / "other.toml"))
    assert settings.load().organisation.name == "other"
    assert settings.load().data == tmp_path / ".leadline"


def test_paths_count_from_the_settings_file(tmp_path: Path) -> None:
    """Relative paths mean the same from every working directory."""
    text = (
        '[connections.forge]\norganisation = "o"\nca_file = "ca.pem"\ntoken = { file = "token" }\n'
    )
    read = settings.parse(text.encode(), tmp_path / "leadline.toml")
    options = read.connections["forge"].options
    assert isinstance(options, ForgeOptions)
    assert options.ca_file == tmp_path / "ca.pem"
    assert options.token is not None
    assert options.token.file == tmp_path / "token"


def test_clones_count_from_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative clone is the same one wherever a command runs; addresses stay as they are."""
    monkeypatch.setattr(settings, "kinds", lambda: {"git": GitConnector})
    text = """
    [connections.git]
    repositories = ["../shop", "/srv/pay", "https://git.example.com/team/shop.git"]
    names = { "../shop" = "Shop" }
    """
    read = settings.parse(text.encode(), tmp_path / "leadline.toml")
    options = read.connections["git"].options
    assert isinstance(options, GitOptions)
    here = f"{tmp_path}/../shop"
    assert options.repositories == (here, "/srv/pay", "https://git.example.com/team/shop.git")
    assert options.names == {here: "Shop"}


def test_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    """A data folder that cannot be made says which setting to change."""
    (tmp_path / "data").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        DataFolder(tmp_path / "data").create()
    assert str(caught.value) == (
        f"the data folder {tmp_path / 'data'} cannot be made (File exists); set `data` in "
        "leadline.toml or LEADLINE_DATA to a folder you may write"
    )


def test_data_folder_without_the_right_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of somebody else is refused before anything starts (root may write anywhere)."""
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SettingsError, match=r"no right to write.*LEADLINE_DATA"):
        DataFolder(tmp_path / "data").create()


@pytest.mark.parametrize(
    "expression", ["0 * * * *", "*/15 8-18 * * mon-fri", "5,35 0 1 jan,jul *", "0 0 * * 7"]
)
def test_cron_expressions_that_hold(expression: str) -> None:
    """Steps, ranges, lists and names are accepted."""
    text = f'[operation]\nsync_schedule = "{expression}"'
    assert settings.parse(text.encode(), Path("x")).operation.sync_schedule == expression


@pytest.mark.parametrize("expression", ["0 0 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *"])
def test_cron_expressions_that_do_not_hold(expression: str) -> None:
    """What no clock ever shows is refused."""
    text = f'[operation]\nsync_schedule = "{expression}"'
    with pytest.raises(SettingsError, match="no cron expression"):
        settings.parse(text.encode(), Path("x"))
