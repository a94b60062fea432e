"""Asking a SPARQL endpoint: politely, one question at a time, and never the same twice."""

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TypeAlias

from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.values import parse_json, read_json
from pitfalls.errors import PitfallsError

Answer: TypeAlias = dict[str, str]
"""Variable → its value, an IRI or a text."""

AGENT = "pitfalls (https://pypi.org/project/pitfalls)"
"""How the endpoint knows who asks; Wikidata's refuses those who do not say."""
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that answers SPARQL, and the folder that its answers are kept in."""

    address: str
    cache: Path
    pause: float = 1.0
    """Seconds between questions."""
    tries: int = 6
    """How often a question is asked before giving up; the wait doubles each time."""
    page: int = 10_000
    """Rows asked for at once."""
    wait: Callable[[float], None] = time.sleep

    def pages(self, query: str) -> Iterator[list[Answer]]:
        """All answers to a query that orders its rows, a page at a time.

        Raises:
            PitfallsError: the endpoint does not answer, or not with JSON results.
        """
        offset = 0
        while True:
            rows = self.ask(f"{query} LIMIT {self.page} OFFSET {offset}")
            yield rows
            if len(rows) < self.page:
                return
            offset += self.page

    def ask(self, query: str) -> list[Answer]:
        """The answers to a query, from the cache if it was answered before.

        Raises:
            PitfallsError: the endpoint does not answer, or not with JSON results.
        """
        name = hashlib.sha256(f"{self.address}\n{query}".encode()).hexdigest()
        kept = self.cache / f"{name}.json"
        if not kept.is_file():
            text = self._fetch(query)
            answers = _answers(text, where=self.address)
            make_folder(self.cache)
            write_bytes(kept, json.dumps(answers, ensure_ascii=False).encode("utf-8"))
            self.wait(self.pause)
        rows: list[Answer] = parse_json(read_text(kept), where=str(kept))
        return rows

    def _fetch(self, query: str) -> str:
        data = urllib.parse.urlencode({"query": query}).encode("ascii")
        accept = {"Accept": "application/sparql-results+json", "User-Agent": AGENT}
        problem = ""
        for attempt in range(self.tries):
            try:
                request = urllib.request.Request(self.address, data=data, headers=accept)
                with urllib.request.urlopen(request, timeout=120) as response:
                    return str(response.read().decode("utf-8"))
            except urllib.error.HTTPError as error:
                problem = f"{error.code} {error.reason}"
                asked, busy = error.headers.get("Retry-After", ""), error.code in _BUSY
                error.close()
                if not busy:
                    break
                self._rest(attempt, asked)
            except (OSError, HTTPException, ValueError) as error:
                problem = str(error)
                self._rest(attempt, "")
        raise PitfallsError(
            f"{self.address}: does not answer: {problem}; the same command goes on from here"
        )

    def _rest(self, attempt: int, asked: str) -> None:
        """Wait as long as the endpoint asked for, else twice as long each time."""
        seconds = float(asked) if asked.isdigit() else self.pause * 2.0**attempt
        self.wait(min(seconds, _LONGEST_WAIT))


def _answers(text: str, *, where: str) -> list[Answer]:
    data = parse_json(text, where=where)
    try:
        rows = data["results"]["bindings"]
        return [{name: str(cell["value"]) for name, cell in row.items()} for row in rows]
    except (KeyError, TypeError, AttributeError):
        raise PitfallsError(f"{where}: answered JSON, but no SPARQL results") from None
