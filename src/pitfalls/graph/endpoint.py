"""SPARQL endpoint client: one query at a time, with pauses, retries and a cache of answers."""

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import TypeAlias

from pydantic import RootModel

from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.paths import is_file
from pitfalls.door.text import reason_of, shortened
from pitfalls.door.values import parse_json, read_json
from pitfalls.errors import PitfallsError
from pitfalls.shapes import check

Answer: TypeAlias = dict[str, str]
"""Variable → its value, an IRI or a text."""

AGENT = "pitfalls (https://pypi.org/project/pitfalls)"
"""User agent. Wikidata's endpoint refuses clients that send none."""
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0


def _nobody(line: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A SPARQL endpoint and the folder that caches its answers."""

    address: str
    cache: Path
    pause: float = 1.0
    """Seconds between two queries."""
    tries: int = 6
    """Attempts per query; the wait doubles after each."""
    page: int = 10_000
    """Rows requested per query."""
    wait: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = _nobody
    """Receives one line for every attempt that failed and is repeated."""

    def __post_init__(self) -> None:
        if not _is_address(self.address):
            raise PitfallsError(
                f"endpoint {shortened(self.address)!r}: expected an address such as "
                "https://query.wikidata.org/sparql"
            )

    def pages(self, query: str, *names: str) -> Iterator[list[Answer]]:
        """All answers to a query that orders its rows, one page at a time.

        Args:
            query: without limit and offset.
            names: variables that every answer must have.

        Raises:
            PitfallsError: the endpoint does not answer, does not answer in JSON, or leaves out a
                variable.
        """
        offset = 0
        while True:
            rows = self.ask(f"{query} LIMIT {self.page} OFFSET {offset}")
            if any(name not in row for row in rows for name in names):
                raise PitfallsError(f"{self.address}: answered without {' and '.join(names)}")
            yield rows
            if len(rows) < self.page:
                return
            offset += self.page

    def ask(self, query: str) -> list[Answer]:
        """Answers to a query, from the cache if they are there.

        Raises:
            PitfallsError: the endpoint does not answer, or does not answer in JSON.
        """
        name = hashlib.sha256(f"{self.address}\n{query}".encode()).hexdigest()
        kept = self.cache / f"{name}.json"
        if not is_file(kept):
            answers = self._fetch(query)
            make_folder(self.cache)
            write_bytes(kept, json.dumps(answers, ensure_ascii=False).encode("utf-8"))
            self.wait(self.pause)
        return check(_Answers, read_json(kept), where=f"{kept} (delete it and ask again)").root

    def _fetch(self, query: str) -> list[Answer]:
        for attempt in range(1, self.tries + 1):
            try:
                return _answers(self._post(query))
            except _Failed as error:
                if not error.may_pass:
                    raise PitfallsError(f"{self.address}: {error}") from None
                problem, asked = str(error), error.wait
            if attempt < self.tries:
                seconds = self.pause * 2.0 ** (attempt - 1) if asked is None else asked
                seconds = min(seconds, _LONGEST_WAIT)
                self.tell(
                    f"{self.address}: {problem}; try {attempt + 1} of {self.tries} "
                    f"in {seconds:.0f} s"
                )
                self.wait(seconds)
        raise PitfallsError(f"{self.address}: {problem}; run the same command again to resume")

    def _post(self, query: str) -> str:
        data = urllib.parse.urlencode({"query": query}).encode("ascii")
        accept = {"Accept": "application/sparql-results+json", "User-Agent": AGENT}
        try:
            request = urllib.request.Request(self.address, data=data, headers=accept)
            with urllib.request.urlopen(request, timeout=120) as response:
                content: bytes = response.read()
            return content.decode("utf-8")
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            lasting = isinstance(reason, InvalidURL | SSLCertVerificationError)
            raise _Failed(f"does not answer: {reason}", may_pass=not lasting) from None


def _is_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is not a number
        return False


class _Answers(RootModel[list[Answer]]):
    pass


class _Failed(Exception):
    """A failed query; `may_pass` is true if a later attempt may succeed."""

    def __init__(self, why: str, *, may_pass: bool, wait: float | None = None) -> None:
        super().__init__(why)
        self.may_pass = may_pass
        self.wait = wait


def _refused(error: urllib.error.HTTPError) -> _Failed:
    """Failure of a query that the endpoint refused, with the start of its own explanation."""
    said = ""
    with suppress(OSError, HTTPException), error:
        said = reason_of(error.read(2000).decode("utf-8", "replace"))
    why = f"does not answer: {error.code} {error.reason}" + (f": {said}" if said else "")
    asked = error.headers.get("Retry-After", "")
    wait = float(asked) if asked.isdigit() and len(asked) < 9 else None
    return _Failed(why, may_pass=error.code in _BUSY, wait=wait)


def _answers(text: str) -> list[Answer]:
    try:
        data = parse_json(text, where="its answer")
        rows = data["results"]["bindings"]
        return [{name: str(cell["value"]) for name, cell in row.items()} for row in rows]
    except PitfallsError as error:
        raise _Failed(str(error), may_pass=True) from None  # for example a truncated answer
    except (KeyError, TypeError, AttributeError):
        raise _Failed("answered JSON, but no SPARQL results", may_pass=False) from None
