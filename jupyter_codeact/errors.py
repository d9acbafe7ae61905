"""Every error that a person may meet, each one sentence of what happened and one of what to do.

CodeActError
├── UsageError            a magic or command was written wrongly
├── ConfigError           something must be set before this can work
│   └── NoModel               no model is named, or its service's key is missing
├── SandboxError
│   ├── SandboxUnavailable    no sandbox on this machine: nothing runs
│   └── SandboxDied           it ended in the middle of a request
├── ModelError            the model's service refused or failed for good
│   ├── KeyRefused            its key is not, or no longer, taken
│   ├── ModelBusy             worth another try: 408, 409, 429, 5xx, connection, cut stream
│   ├── ContextExceeded       the conversation no longer fits
│   ├── ContentPolicy         the service would not answer this conversation
│   ├── OutOfReplies          a script in the model's place is at its end
│   └── RepliesUnreadable     too many replies in a row that can't be acted on
├── Unreadable            a reply of the model's can't be acted on; it is told why, and asked again
├── RunEnded              a run can't go on, and nothing is broken
│   ├── OutOfBudget           a limit of money, tokens or calls
│   ├── OutOfSteps            as many actions as one run may have
│   ├── OutOfTime             its actions took too long together
│   ├── TimedOutAgain         too many actions in a row took too long
│   └── Forfeited             the model gave up
├── ActionFailed          an action raised where none may
├── SkillError            a skill could not be saved, found or read
│   └── SkillFailed           what was asked for was right, and did not work
│       └── SkillConflict         somebody else changed it meanwhile
└── EditError             an edit of the agent's was impossible; the model is told why
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # What starts a kernel needs errors, and nothing of an agent.
    from .events import Usage


class CodeActError(Exception):
    """Base of all. ``str(error)`` is what the person reads; ``exit_status`` is how a run says that it ended by it."""

    exit_status = "exit_error"


class UsageError(CodeActError):
    """A magic or a command line was written wrongly; the message names the nearest right form."""


class ConfigError(CodeActError):
    """Something must be set first, and the message says what."""


class NoModel(ConfigError):
    """No model is named, or its service's key is missing; said for a terminal, and, ``in_notebook``, for a notebook."""

    def __init__(self, message: str, in_notebook: str) -> None:
        super().__init__(message)
        self.in_notebook = in_notebook


class SandboxError(CodeActError):
    """The sandbox could not do its work."""

    exit_status = "exit_environment_error"


class SandboxUnavailable(SandboxError):
    """There is no sandbox on this machine. The message names the remedy."""


class SandboxDied(SandboxError):
    """The sandbox ended while a request was running in it."""


class ModelError(CodeActError):
    """The model's service refused, or failed for good. ``usage`` is what the failed try used, as far as is known."""

    exit_status = "exit_api"
    usage: Usage | None = None


class KeyRefused(ModelError):
    """The service does not take the key: whatever else is asked of it will be refused, too."""


class ModelBusy(ModelError):
    """The service may answer if asked again; ``retry_after_s`` is its own wish, in seconds."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ContextExceeded(ModelError):
    """The conversation is longer than the model can read."""

    exit_status = "exit_context"


class ContentPolicy(ModelError):
    """The service's policy forbids an answer to this conversation."""

    exit_status = "exit_format"


class OutOfReplies(ModelError):
    """The model is a script, and has no reply left."""

    exit_status = "exit_replies"


class RepliesUnreadable(ModelError):
    """Too many replies in a row could not be acted on."""

    exit_status = "exit_format"


class Unreadable(CodeActError):
    """A reply can't be acted on. ``str(error)`` is told to the model; ``kind`` says with which template.

    "words": it was readable, and nothing but words, where those end no run.
    """

    exit_status = "exit_format"

    def __init__(self, kind: Literal["format", "words", "blocklist", "syntax"], text: str) -> None:
        super().__init__(text)
        self.kind = kind


class RunEnded(CodeActError):
    """A run can't go on, though nothing is broken."""


class OutOfBudget(RunEnded):
    """A limit of money, tokens or calls was reached."""

    exit_status = "exit_cost"


class OutOfSteps(RunEnded):
    """The run has had as many actions as it may."""

    exit_status = "exit_steps"


class OutOfTime(RunEnded):
    """The actions of the run have taken as long together as they may."""

    exit_status = "exit_total_execution_time"


class TimedOutAgain(RunEnded):
    """Too many actions in a row were interrupted at their timeout."""

    exit_status = "exit_command_timeout"


class Forfeited(RunEnded):
    """The model gave up; the message is its reason."""

    exit_status = "exit_forfeit"


class ActionFailed(CodeActError):
    """An action raised, and the agent was made so that none may."""


class SkillError(CodeActError):
    """A skill could not be saved, found or read; nothing was changed."""


class SkillFailed(SkillError):
    """What was asked for was written rightly, and did not work: checks, a disk, a network."""


class SkillConflict(SkillFailed):
    """Somebody else changed the skill that was to be written. ``diff``: from what the writer saw to what is there."""

    def __init__(self, name: str, diff: str) -> None:
        super().__init__(f"{name} was changed by somebody else meanwhile: yours was not saved, and theirs is there.")
        self.diff = diff

    def beside(self, own: str) -> str:
        """Both changes, for an agent: ``own`` is the diff of what was not saved."""
        return f"{self}\nWhat they changed:\n{self.diff}\nWhat you wanted, which was not saved:\n{own}"


class EditError(CodeActError):
    """The agent asked for an impossible edit. It is told why; nothing was changed."""
