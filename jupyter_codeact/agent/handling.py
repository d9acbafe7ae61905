"""What becomes of a step in which something goes wrong: another query, or the end of the run."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING

from ..errors import (
    CodeActError,
    ConfigError,
    ContentPolicy,
    ContextExceeded,
    ModelError,
    OutOfBudget,
    RepliesUnreadable,
    RunEnded,
    Unreadable,
    UsageError,
)
from ..events import LimitReached, NotRun, Working
from ..words import plural
from .compaction import squeeze
from .shapes import Message, StepOutput

if TYPE_CHECKING:
    from .loop import Agent

SUBMITTED = "a run from a terminal ends with `submit`."
# Only a person can mend these.
HERS = (ConfigError, UsageError)
NOT_RUN = {
    "blocklist": "Not run: {} waits for a person, or ends the kernel; the model was told.",
    "syntax": "Not run: the code does not compile; the model was told.",
    "format": "Nothing to run: the reply could not be read; the model was told.",
    "words": "Nothing to run: the reply has words alone, and " + SUBMITTED,
}


async def forward_with_handling(agent: Agent, history: list[Message]) -> StepOutput:
    """``Agent.forward`` until it ends well, or ends the run. Failed tries go to the trajectory alone."""
    failed: list[Exception] = []
    compacted = False
    while True:
        try:
            return await agent.forward(history)
        except HERS:
            raise
        except Exception as error:
            if not agent.catch_errors:
                raise
            step: StepOutput = error.step  # type: ignore[attr-defined]  # forward puts it there
            again: list[Message] | None = None
            if isinstance(error, Unreadable | ContentPolicy):
                failed.append(error)
                if isinstance(error, Unreadable) and error.kind == "words":
                    agent.emit(NotRun(NOT_RUN["words"], step.thought))
                again = _again(agent, error, step, history) if len(failed) < agent.max_requeries else None
            elif isinstance(error, ContextExceeded) and not compacted:
                compacted = True
                again = await _compacted(agent) or squeeze(agent)
            if again is None:
                return await end(agent, _last_word(error, failed), step)
            agent.add_step_to_trajectory(failed_try(step, error))
            history = again


def _again(agent: Agent, error: Unreadable | ContentPolicy, step: StepOutput, history: list[Message]) -> list[Message]:
    """The messages of the next try. They are not cumulative: only the last failure is in them."""
    # Escaped: it may quote the reply.
    agent.logger.info("Asking again after %s: %r", type(error).__name__, str(error))
    if isinstance(error, ContentPolicy):
        agent.emit(Working("retrying", "The service refused an answer, asking again"))
        return history
    if error.kind == "words":
        agent.emit(Working("retrying", "The reply did nothing, asking again"))
    else:
        agent.emit(Working("retrying", "The reply could not be read, asking again"))
        agent.emit(NotRun(NOT_RUN[error.kind].format(error)))
    return agent.get_model_requery_history(error.kind, output=step.output, text=str(error))


async def _compacted(agent: Agent) -> list[Message] | None:
    with contextlib.suppress(ModelError, OutOfBudget):
        return await agent.compact(exceeded=True)
    return None


def _last_word(error: Exception, failed: list[Exception]) -> Exception:
    """For the person, who has not seen the tries before."""
    times = plural(len(failed), "time")
    if not isinstance(error, Unreadable):
        return error
    if any(isinstance(other, ContentPolicy) for other in failed):
        return RepliesUnreadable(f"The model's reply was refused or could not be read {times} in a row: {error}")
    if all(isinstance(other, Unreadable) and other.kind == "words" for other in failed):
        return RepliesUnreadable(f"The model replied in words alone {times} in a row: {SUBMITTED}")
    return RepliesUnreadable(f"The model's reply could not be read {times} in a row: {error}")


def failed_try(step: StepOutput, error: Exception) -> StepOutput:
    """The step as the trajectory has it: what was replied, and why it did not count."""
    step.observation = step.observation or str(error)
    step.extra_info["failed"] = type(error).__name__
    return step


async def end(agent: Agent, error: Exception, step: StepOutput) -> StepOutput:
    """The run ends with this step, and hands in what it has."""
    agent.error = error
    failed_try(step, error)
    step.exit_status = error.exit_status if isinstance(error, CodeActError) else "exit_error"
    if not isinstance(error, CodeActError):
        step.extra_info["traceback"] = "".join(traceback.format_exception(error))
    agent.info["error"] = str(error) or type(error).__name__
    if isinstance(error, RunEnded):
        agent.emit(LimitReached(str(error)))
    return await agent.attempt_autosubmission_after_error(step)
