"""Lists that are read whole at every pull: only the pages that changed are kept again."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from connectors.connector import Page, Pull, Scope, SourceError, State, Stream


class SnapshotStream(Stream):
    """A list that is read whole, page by page; unchanged pages are not kept again."""

    @abstractmethod
    def answers(self, pull: Pull, scope: Scope) -> Iterator[list[Page]]:
        """Each page of the list, followed by the overflow pages of its items."""

    def pages(self, pull: Pull, scope: Scope, state: State) -> Iterator[Page]:
        """The pages that differ from those of the last sync; all of them on a full pass."""
        known: list[str] = json.loads(state.marker) if state.marker else []
        digests: list[str] = []

        def changed() -> Iterator[Page]:
            for index, pages in enumerate(self.answers(pull, scope)):
                content = hashlib.sha256()
                for page in pages:
                    content.update(page.body + repr(sorted(page.attributes.items())).encode())
                digests.append(content.hexdigest()[:16])
                if index >= len(known) or known[index] != digests[index]:
                    yield from pages

        yield from state_on_last(changed(), lambda: State(marker=json.dumps(digests)))


def state_on_last(pages: Iterable[Page], state: Callable[[], State]) -> Iterator[Page]:
    """The pages, the last of them with the state: it moves once all of them are kept.

    Where the pages end in an error, what came before is kept and the state stays.
    """
    held: Page | None = None
    try:
        for page in pages:
            if held is not None:
                yield held
            held = page
    except SourceError:
        if held is not None:
            yield held
        raise
    if held is not None:
        yield replace(held, state=state())
