"""Rules applied to paths and files in bulk, by Polars: its expressions take linear time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
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


_Where = tuple[tuple[str, ...], tuple[str, ...]]
"""Patterns of paths that a matcher is about, and of those among them that it is not."""


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


def find(book: RuleBook, files: Sequence[File]) -> list[list[Found]]:
    """Of each file the approaches it shows, each with the first line that does; sorted."""
    texts = pl.DataFrame(
        {"path": [file.path for file in files], "text": [file.text for file in files]},
        schema={"path": pl.String, "text": pl.String},
    ).with_columns(file=pl.int_range(pl.len()))
    lines = _lines(texts)
    wanted = _wanted(book, texts)
    own: dict[_Where, pl.DataFrame] = {}
    found: list[dict[tuple[str, str], int]] = [{} for _ in files]
    for matcher in book.matchers:
        where = matcher.paths, matcher.rule.not_paths
        numbers = wanted[where]
        if not numbers:
            continue
        if matcher.pattern is None:
            hits = [(number, 1) for number in numbers]
        else:
            if where not in own:
                own[where] = lines.filter(pl.col("file").is_in(numbers))
            met = own[where].filter(pl.col("line").str.contains(matcher.pattern))
            hits = met.group_by("file").agg(pl.col("number").min()).rows()
        key = matcher.rule.category, matcher.rule.approach
        for number, line in hits:
            found[number][key] = min(line, found[number].get(key, line))
    return [
        sorted(Found(*key, file.path, line) for key, line in each.items())
        for file, each in zip(files, found, strict=True)
    ]


def contradicted(rule: PracticeRule) -> list[str]:
    """The examples of a rule that it gets wrong."""
    own = RuleBook((), (rule,))

    def takes(example: str) -> bool:
        path, _, text = example.partition(": ")
        return any(find(own, [File(kept, text) for kept in select(own, [path])]))

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


def _wanted(book: RuleBook, texts: pl.DataFrame) -> dict[_Where, list[int]]:
    """Which files each set of patterns is about; all of them at once, for most are about none."""
    path = pl.col("path")
    found = {}
    for matcher in book.matchers:
        paths, not_paths = where = matcher.paths, matcher.rule.not_paths
        is_wanted = path.str.contains(globs.expression(paths))
        if not_paths:
            is_wanted &= ~path.str.contains(globs.expression(not_paths))
        found[where] = is_wanted
    columns = texts.select(is_wanted.alias(str(n)) for n, is_wanted in enumerate(found.values()))
    return {
        where: np.flatnonzero(column.to_numpy()).tolist()
        for where, column in zip(found, columns, strict=True)
    }
