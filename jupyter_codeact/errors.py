"""Every error that a person may meet, each one sentence of what happened and one of what to do.

CodeActError
├── UsageError            a magic or command was written wrongly
├── ConfigError           something must be set before this can work
├── SandboxError
│   ├── SandboxUnavailable    no sandbox on this machine: nothing runs
│   └── SandboxDied           it ended in the middle of a request
├── ModelError            the model's service refused or failed for good
│   ├── ModelBusy             worth another try: 408, 409, 429, 5xx, connection, cut stream
│   └── ContextExceeded       the conversation no longer fits
├── SkillError            a skill could not be saved, found or read
└── EditError             an edit of the agent's was impossible; the model is told why
"""


class CodeActError(Exception):
    """Base of all. ``str(error)`` is what the person reads."""


class UsageError(CodeActError):
    """A magic or a command line was written wrongly; the message names the nearest right form."""


class ConfigError(CodeActError):
    """Something must be set first, and the message says what."""


class SandboxError(CodeActError):
    """The sandbox could not do its work."""


class SandboxUnavailable(SandboxError):
    """There is no sandbox on this machine. The message names the remedy."""


class SandboxDied(SandboxError):
    """The sandbox ended while a request was running in it."""


class ModelError(CodeActError):
    """The model's service refused, or failed for good."""


class ModelBusy(ModelError):
    """The service may answer if asked again; ``retry_after_s`` is its own wish, in seconds."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ContextExceeded(ModelError):
    """The conversation is longer than the model can read."""


class SkillError(CodeActError):
    """A skill could not be saved, found or read; nothing was changed."""


class EditError(CodeActError):
    """The agent asked for an impossible edit. It is told why; nothing was changed."""
