"""What `leadline try` is pointed at: local clones and addresses, checked before anything runs."""

import re
from pathlib import Path

from connectors.clone_url import clone_url, is_address, repository_name
from connectors.connector import SourceError
from connectors.git_command import Git
from pipelines.commands.boundary import FailedError, WrongUseError
from pipelines.commands.console import count

_HOST_AND_PATH = re.compile(r"[\w-]+(\.[\w-]+)+/[\w./-]+")


def resolve(targets: list[str]) -> list[str]:
    """Absolute paths of clones and checked addresses, each once, in the order given."""
    return list(dict.fromkeys(_resolve(target) for target in targets))


def name_of(targets: list[str]) -> str:
    """What the dashboard is headed with."""
    if len(targets) == 1:
        return repository_name(targets[0])
    return f"{len(targets)} repositories"


def _resolve(target: str) -> str:
    if is_address(target):
        try:
            return clone_url(target).text
        except SourceError as error:
            raise WrongUseError(str(error)) from error
    path = Path(target).expanduser().absolute()
    if not path.exists():
        hint = f"; did you mean https://{target}?" if _HOST_AND_PATH.fullmatch(target) else ""
        raise WrongUseError(f"there is no folder {path}{hint}")
    root = _clone_around(path.resolve())
    if root is None:
        raise WrongUseError(f"{path} is no Git repository{_clones_below(path)}")
    _check_history(root)
    return str(root)


def _clone_around(path: Path) -> Path | None:
    """The clone that this folder is or lies in."""
    for folder in (path, *path.parents):
        if (folder / ".git").exists() or _is_bare(folder):
            return folder
    return None


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _clones_below(path: Path) -> str:
    if not path.is_dir():
        return "; name the folder of a clone"
    clones = [child.name for child in sorted(path.iterdir()) if (child / ".git").exists()]
    if not clones:
        return "; name a folder that holds a clone, or an address such as https://host/path"
    some = ", ".join(clones[:3]) + (" …" if len(clones) > 3 else "")
    return f", but holds {count(len(clones), 'clone')} ({some}); name those, as in {path}/*/"


def _check_history(root: Path) -> None:
    directory = root if _is_bare(root) else root / ".git"
    if not Git(directory, str(root)).run("rev-list", "--all", "--max-count=1").strip():
        raise FailedError(f"{root} has no commits yet; there is nothing to measure")
