"""Following `@odata.nextLink` until a collection is complete. A collection without one of its pages is a problem."""

from __future__ import annotations

from dataclasses import replace

from tapctl.graph.address import Address
from tapctl.graph.outcomes import malformed
from tapctl.model.requests import Answer, Problem, Read, Reply
from tapctl.model.values import JSONValue

PAGE_LIMIT = 10_000
_NEXT = "@odata.nextLink"


class Pages:
    """The pages of one read as they arrive; a read without paging has one page."""

    def __init__(self, read: Read, address: Address) -> None:
        self._read = read
        self._address = address
        self._following: Read | None = read
        self._first: Answer | None = None
        self._problem: Problem | None = None
        self._items: list[JSONValue] = []
        self._links: set[str] = set()

    @property
    def following(self) -> Read | None:
        """The next read; None when the read has ended, successfully or not."""
        return self._following

    def take(self, outcome: Reply) -> None:
        """The outcome of `following`."""
        asked, self._following = self._following, None
        if isinstance(outcome, Problem):
            # A link to a next page is followed as it is: only the size of the first page is ours to drop.
            is_ours = asked is not None and self._first is None and outcome.status == 400
            self._following = _unsized(asked) if asked is not None and is_ours else None
            self._problem = outcome if self._following is None else None
            return
        self._first = self._first or outcome
        if not self._read.paged or not isinstance(outcome.body, dict):
            return
        items = outcome.body["value"]
        self._items.extend(items if isinstance(items, list) else ())
        link = outcome.body.get(_NEXT)
        if link is not None:
            self._follow(link)

    def outcome(self) -> Reply:
        """The complete collection as one answer, or the problem of the page that failed.

        Raises:
            RuntimeError: no page was taken yet.
        """
        if self._problem is not None:
            return self._problem
        if self._first is None:
            raise RuntimeError("no page was read")
        if not self._read.paged or not isinstance(self._first.body, dict):
            return self._first
        whole: dict[str, JSONValue] = {key: value for key, value in self._first.body.items() if key != _NEXT}
        return replace(self._first, body=whole | {"value": _without_overlap(self._items)})

    def _follow(self, link: JSONValue) -> None:
        """Set the next page's read: the link unchanged, with the headers of the first page (ConsistencyLevel too)."""
        place = self._address.follow(link) if isinstance(link, str) else None
        if place is None:
            self._problem = malformed(self._read, "the next page is on another host; no request was sent there")
        elif link in self._links:
            self._problem = malformed(self._read, "the pages of the answer form a loop")
        elif len(self._links) >= PAGE_LIMIT:
            self._problem = malformed(self._read, f"the answer has more than {PAGE_LIMIT} pages")
        else:
            self._links.add(str(link))
            version, path = place
            self._following = replace(self._read, method="GET", body=None, version=version, path=path)


def _unsized(read: Read) -> Read | None:
    """A refused read without its `$top`; None when it has no `$top`.

    Graph refuses a page size above a collection's maximum, and documents the maximum of few collections."""
    path, _, query = read.path.partition("?")
    kept = [part for part in query.split("&") if not part.startswith("$top=")]
    unsized = f"{path}?{'&'.join(kept)}" if kept and kept != [""] else path
    return replace(read, path=unsized) if unsized != read.path else None


def _without_overlap(items: list[JSONValue]) -> list[JSONValue]:
    """Two pages may contain the same object when objects are added meanwhile: equal items with one id are kept once."""
    seen: dict[str, list[JSONValue]] = {}
    kept: list[JSONValue] = []
    for item in items:
        found = item.get("id") if isinstance(item, dict) else None
        same = seen.setdefault(found, []) if isinstance(found, str) else []
        if item not in same:
            kept.append(item)
            same.append(item)
    return kept
