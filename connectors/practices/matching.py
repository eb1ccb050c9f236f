"""Rules applied to paths and files in bulk, by Polars: its expressions take linear time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from connectors.practices import globs
from connectors.practices.rules import PracticeRule, RuleBook

# What others wrote, what documents show, and what machines made says nothing of a team.
LEFT_OUT = (
    "**/{node_modules,vendor,third_party,third-party,bower_components,site-packages}/**",
    "**/{testdata,test-data,fixtures,__fixtures__}/**",
    "**/{example,examples,sample,samples,demo,demos,doc,docs,documentation}/**",
    "**/{.git,.terraform,dist,.venv,venv,generated}/**",
    "**/{locale,locales,i18n,translations,cassettes,__snapshots__}/**",
    "**/{pnpm-lock,pnpm-workspace,yarn.lock,openapi,swagger}*.{yml,yaml}",
)
# Files of tests say what is tested, but for the manifests of projects that are tests.
_TESTS = ("**/{test,tests,testing,__tests__,spec,*integration-test,*integration-tests}/**",)
_TEST_PROJECTS = ("**/*.{csproj,fsproj,vbproj}", "**/requirements*.txt")
_LINE_SIGNS = 2_000
_COMMENTED = {
    "#": (
        *(
            "**/*.{yml,yaml,toml,tf,tofu,hcl,sh,py,rb,txt,in,cfg,ini,conf,properties,bazel,env,sls}",
        ),
        *("**/{Dockerfile,Containerfile,Gemfile,Earthfile,Caddyfile,Procfile,.gitattributes}*",),
        *("**/{WORKSPACE,BUILD,.env,.env.*,Puppetfile,Berksfile}",),
    ),
    "//": (
        *("**/{go.mod,Jenkinsfile*}", "**/*.{gradle,kts,tf,hcl,bicep,json5,sbt,scala,jenkinsfile}"),
    ),
}


@dataclass(frozen=True, slots=True)
class File:
    """A file's path and text."""

    path: str
    text: str


class Found(NamedTuple):
    """A rule that a file met, and the first line where it did."""

    category: str
    approach: str
    path: str
    line: int


def select(book: RuleBook, paths: Sequence[str], left_out: Iterable[str] = ()) -> list[str]:
    """The paths that any rule wants to look at, sorted; what is left out never is."""
    frame = pl.DataFrame({"path": paths}, schema={"path": pl.String})
    wanted = globs.expression(glob for matcher in book.matchers for glob in matcher.paths)
    unwanted = globs.expression((*LEFT_OUT, *left_out))
    path = pl.col("path")
    is_test = path.str.contains(globs.expression(_TESTS))
    is_project = path.str.contains(globs.expression(_TEST_PROJECTS))
    kept = frame.filter(
        path.str.contains(wanted) & ~path.str.contains(unwanted) & (is_project | ~is_test)
    )
    return kept["path"].unique().sort().to_list()


def find(book: RuleBook, files: Sequence[File]) -> list[Found]:
    """Per file and approach the first line that shows it; sorted."""
    texts = pl.DataFrame(
        {"path": [file.path for file in files], "text": [file.text for file in files]},
        schema={"path": pl.String, "text": pl.String},
    ).with_columns(file=pl.int_range(pl.len()))
    lines = _lines(texts)
    found: dict[tuple[str, str, str], int] = {}
    taken: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[pl.Series, pl.DataFrame]] = {}
    for matcher in book.matchers:
        rule = matcher.rule
        where = matcher.paths, rule.not_paths
        if where not in taken:
            taken[where] = _of_paths(texts, lines, *where)
        paths, own = taken[where]
        if paths.is_empty():
            continue
        if matcher.pattern is None:
            hits = [(path, 1) for path in paths]
        else:
            met = own.filter(pl.col("line").str.contains(matcher.pattern))
            hits = met.group_by("path").agg(pl.col("number").min()).rows()
        for path, line in hits:
            key = rule.category, rule.approach, path
            found[key] = min(line, found.get(key, line))
    return sorted(Found(*key, line) for key, line in found.items())


def contradicted(rule: PracticeRule) -> list[str]:
    """The examples of a rule that it gets wrong."""
    own = RuleBook((), (rule,))

    def takes(example: str) -> bool:
        path, _, text = example.partition(": ")
        return bool(find(own, [File(kept, text) for kept in select(own, [path])]))

    wrong = [f'"{each}" is not found' for each in rule.yes if not takes(each)]
    return wrong + [f'"{each}" is found' for each in rule.no if takes(each)]


def _lines(texts: pl.DataFrame) -> pl.DataFrame:
    """One row a line, numbered from 1; lines that are comments are empty, long ones are cut."""
    lines = (
        texts.with_columns(line=pl.col("text").str.split("\n"))
        .drop("text")
        .explode("line")
        .with_columns(
            number=pl.int_range(pl.len()).over("file") + 1,
            line=pl.col("line").str.strip_chars_end("\r").str.head(_LINE_SIGNS),
        )
    )
    path, line = pl.col("path"), pl.col("line")
    is_comment = pl.lit(value=False)
    for sign, files in _COMMENTED.items():
        is_comment |= path.str.contains(globs.expression(files)) & line.str.contains(rf"^\s*{sign}")
    return lines.filter(~is_comment)


def _of_paths(
    texts: pl.DataFrame, lines: pl.DataFrame, paths: tuple[str, ...], not_paths: tuple[str, ...]
) -> tuple[pl.Series, pl.DataFrame]:
    path = pl.col("path")
    is_wanted = path.str.contains(globs.expression(paths))
    if not_paths:
        is_wanted &= ~path.str.contains(globs.expression(not_paths))
    kept = texts.filter(is_wanted).select("path", "file")
    return kept["path"], lines.join(kept.select("file"), on="file", how="semi")
