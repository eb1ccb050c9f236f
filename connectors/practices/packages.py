"""How each package system names what a project depends on: the files, and a line of them."""

import re
from collections.abc import Iterable

# By system: path patterns of its manifests, and the line of one; NAMES stands for the packages.
# Development and run-time dependencies are not told apart; what Go calls indirect is left out.
SYSTEMS: dict[str, tuple[tuple[str, ...], str]] = {
    "npm": (
        ("**/package.json",),
        (
            r'^\s*"(?:NAMES)"\s*:\s*"(?:[\^~<>=v]*\s*\d|[*x]|latest|next|workspace:|npm:|catalog:|link:'
            r"|file:|git|https?:)"
        ),
    ),
    "python": (
        (
            *("**/requirements*.{txt,in}", "**/requirements/*.{txt,in}", "**/pyproject.toml"),
            *("**/setup.{py,cfg}", "**/Pipfile"),
        ),
        (
            r"""(?i)(?:^\s*|[\[,(]\s*)["']?(?:NAMES)(?:\[[^\]]*\])?(?:["']\s*(?:[,\]]|$)|["']?\s*"""
            r"""(?:[=<>!~;@,]|$))"""
        ),
    ),
    "go": (("**/go.mod",), r"^\s*(?:require\s+)?(?:NAMES)\s+v[\w.+-]+\s*$"),
    "maven": (
        ("**/pom.xml", "**/*.gradle", "**/*.gradle.kts", "**/*.versions.toml"),
        r"""<artifactId>\s*(?:NAMES)\s*</artifactId>|[:"'](?:NAMES)(?:[:"'@])""",
    ),
    "ruby": (
        ("**/Gemfile", "**/*.gemspec"),
        r"""^\s*(?:gem|\w+\.add_(?:development_|runtime_)?dependency)[\s(]+["'](?:NAMES)["']""",
    ),
    "nuget": (
        ("**/*.{csproj,fsproj,vbproj}", "**/Directory.Packages.props", "**/packages.config"),
        r'(?i)<Package(?:Reference|Version)?\s+[^>]*(?:Include|Update|id)="(?:NAMES)"',
    ),
    "cargo": (
        ("**/Cargo.toml",),
        r"^\s*(?:NAMES)\s*=\s*[\"{]|^\[(?:[\w-]+\.)*dependencies\.(?:NAMES)\]",
    ),
    "composer": (("**/composer.json",), r'^\s*"(?:NAMES)"\s*:\s*"'),
}


def pattern(system: str, names: Iterable[str]) -> str:
    """The line of a manifest that names one of the packages; `*` stands for any ending."""
    spelled = [re.escape(name).replace(r"\*", r"[\w./-]*") for name in names]
    if system == "python":
        spelled = [re.sub(r"\\-|_|\\\.", "[-_.]", name) for name in spelled]
    return SYSTEMS[system][1].replace("NAMES", "|".join(spelled))
