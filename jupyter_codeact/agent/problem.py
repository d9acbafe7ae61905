"""What an agent is asked to do: a text, a text file, or an issue on GitHub."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import CodeActError, ConfigError, UsageError
from ..files import content_of
from ..words import reason

# With what stands behind it where it is copied from a browser: a comment's place, a filter.
_ISSUE = re.compile(
    r"(https?://)?(www\.)?github\.com/(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/issues/(?P<number>\d+)/?([?#]\S*)?"
)
LONGEST = 1_000_000
GITHUB = "https://api.github.com"
TIMEOUT_S = 30.0
EMPTY = "The problem is empty: write what is to be done."


class ProblemStatement(Protocol):
    """``id`` names files of the run. ``extra_fields`` are values that the instance template may name."""

    @property
    def id(self) -> str: ...

    @property
    def extra_fields(self) -> dict[str, Any]: ...

    async def text(self) -> str:
        """The statement itself. Raises ConfigError where it can't be had, CodeActError where it can't be had now."""


@dataclass(frozen=True)
class TextProblem:
    """A text as it stands."""

    statement: str
    id: str = "task"
    extra_fields: dict[str, Any] = field(default_factory=dict)

    async def text(self) -> str:
        return self.statement


@dataclass(frozen=True)
class FileProblem:
    """A text file; its name is the id."""

    path: Path
    extra_fields: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.path.stem

    async def text(self) -> str:
        try:
            return content_of(self.path).text[:LONGEST]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The task {self.path} can't be read: {reason(error)}.") from None


@dataclass(frozen=True)
class GithubIssue:
    """An issue by its address: title and first post. ``api``: where GitHub answers; ``token`` may be empty.

    instead: where its text is given where there is no connection, as in " with `--text`".
    """

    url: str
    extra_fields: dict[str, Any] = field(default_factory=dict)
    api: str = GITHUB
    token: str = field(default="", repr=False)
    instead: str = ""

    @property
    def id(self) -> str:
        found = self._found()
        return f"{found['owner']}__{found['repo']}-i{found['number']}"

    async def text(self) -> str:
        found = self._found()
        address = f"{self.api}/repos/{found['owner']}/{found['repo']}/issues/{found['number']}"
        issue = await _fetched(address, self.token, self.instead)
        return f"{issue.get('title') or ''}\n\n{issue.get('body') or ''}".strip()

    def _found(self) -> re.Match[str]:
        found = _ISSUE.fullmatch(self.url)
        if found is None:
            raise ConfigError(
                f"{self.url} is no issue on GitHub: write https://github.com/OWNER/REPOSITORY/issues/NUMBER."
            )
        return found


async def stated(problem: ProblemStatement, name: str) -> TextProblem:
    """The problem under that name, with its text read once. Raises as ``text`` does; UsageError where it is empty."""
    text = await problem.text()
    if not text.strip():
        raise UsageError(EMPTY)
    return TextProblem(text, name, problem.extra_fields)


def problem_of(value: str) -> TextProblem | FileProblem | GithubIssue:
    """The address of an issue, the path of a file that is there, or else the text itself."""
    if _ISSUE.fullmatch(value.strip()):
        return GithubIssue(value.strip())
    if "\n" not in value and len(value) < 1000 and Path(value).is_file():
        return FileProblem(Path(value))
    return TextProblem(value)


async def _fetched(address: str, token: str, instead: str) -> dict[str, Any]:
    import httpx

    headers = {"Accept": "application/vnd.github+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True) as client:
            answer = await client.get(address, headers=headers)
            answer.raise_for_status()
            return dict(json.loads(answer.text[:LONGEST]))
    except httpx.HTTPStatusError as error:
        raise _refused(address, error.response.status_code) from None
    except httpx.InvalidURL as error:
        raise ConfigError(f"The issue can't be read from {address}: {error}.") from None
    except httpx.TransportError:
        host, remedy = httpx.URL(address).host, f"give its text instead{instead}."
        raise CodeActError(f"There is no connection to {host}, and so no issue: {remedy}") from None
    except (httpx.HTTPError, ValueError, TypeError) as error:
        raise CodeActError(f"The issue can't be read from {address}: {reason(error)}.") from None


def _refused(address: str, status: int) -> CodeActError:
    """What GitHub means by it."""
    answered = f"The issue can't be read from {address}: GitHub answered {status}"
    if status in (401, 403, 404):
        return ConfigError(f"{answered}. Is it there, and does GITHUB_TOKEN allow it?")
    return CodeActError(f"{answered}; try again later.")
