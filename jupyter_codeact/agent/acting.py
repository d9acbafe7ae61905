"""One action: reviewed, run, and observed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from ..errors import ActionFailed, EditError, Forfeited, OutOfTime, SandboxDied, SandboxError, TimedOutAgain
from ..events import Action, ActionDone, CodeAction, EditAction, Edited, Ended, Outcome, Ran, Rejected, Working
from ..execution import RunStopped
from ..protocols import Change, Tell
from ..words import plural, seconds
from .editing import place_of
from .history import source_of
from .hooks import ActionExecuted, ActionStarted
from .observation import shorten
from .observing import observe
from .shapes import StepOutput

if TYPE_CHECKING:
    from .conversation import Conversation
    from .loop import Agent


READS = ("view", "search", "read", "test")


async def handle_action(agent: Agent, step: StepOutput) -> None:
    """Run ``step.call``, and fill in what came of it. Raises RunEnded and its kind where the run ends with it."""
    action = step.call
    assert action is not None
    step.action = step.proposed_action = source_of([action])
    agent.emit(ActionStarted(step))
    try:
        step.outcome = await _outcome(agent, action)
    except RunStopped as stop:
        # What ran before a Stop must be known all the same.
        step.outcome = stop.outcome
        await _observe(agent, step)
        raise
    await _observe(agent, step)
    step.state = await _state_after(agent, step.outcome)
    agent.emit(ActionExecuted(step))
    agent.streaks.count(step.outcome)
    if isinstance(step.outcome, Ran) and step.outcome.status != "ok" and agent.always_require_zero_exit_code:
        raise ActionFailed("An action failed, and none may.")


async def _outcome(agent: Agent, action: Action) -> Outcome:
    match action:
        case CodeAction():
            return await agent.environment.run(action, agent.tools.config.timeout_s)
        case EditAction():
            return await _edit(agent, action)
        case _:
            if action.gave_up:
                raise Forfeited(action.answer)
            return Ended()


async def _edit(agent: Agent, action: EditAction) -> Outcome:
    """The tools that change files: a look is answered at once, a change is shown and confirmed first."""
    try:
        change = await agent.tools.plan(action, agent.environment, agent.templates.work)
        if isinstance(change, str):
            return Edited(shorten(change, agent.tools.config.observation_tokens, "view a part of it with code"))
        if not change.changes:
            return Edited(f"{change.summary}: nothing was done, it is like this already.")
        refused = await agent.environment.confirm(action, change.diff, change.summary)
        if refused is not None:
            return refused
        agent.emit(Working("saving", change.summary))
        return await _made(change, lambda text: agent.emit(Working("saving", f"{change.summary}: {text}")))
    except (EditError, SandboxError) as error:
        return Edited(str(error), ok=False, complaint=_complaint(action, str(error)))


async def _made(change: Change, tell: Tell) -> Outcome:
    """The change made, and what its checks say. A Stop ends the checks; the change stands."""
    done = await change.apply(tell)
    try:
        checked = await change.checks(tell)
    except asyncio.CancelledError:
        raise RunStopped(Edited(f"{done}\nIts checks were stopped.", changed=True)) from None
    text = "\n".join(filter(None, [done, checked.text]))
    failed = "\n".join(["Its checks failed, and the agent is told:", *(f"- {problem}" for problem in checked.problems)])
    return Edited(text, changed=True, complaint=failed if checked.problems else "")


def _complaint(action: EditAction, error: str) -> str:
    """She does not see what only reads, and so not that it fails."""
    command = str(action.arguments.get("command", ""))
    return "" if command in READS else f"The agent could not {command} {place_of(action)}: {error}"


async def _observe(agent: Agent, step: StepOutput) -> None:
    outcome, action = step.outcome, step.call
    assert outcome is not None
    assert action is not None
    match outcome:
        case Ran():
            step.action, step.execution_time = outcome.source, outcome.seconds
            await observe(agent, step, outcome)
        case Edited(text):
            step.observation = text
        case Rejected(reason):
            step.observation = f"rejected: {reason}"
        case _:
            pass
    if not isinstance(outcome, Ended):
        agent.emit(ActionDone(action, outcome))


async def _state_after(agent: Agent, outcome: Outcome) -> dict[str, Any]:
    """It mostly came with the action's end, and need not be asked for."""
    came = outcome.state if isinstance(outcome, Ran) else None
    return await state_of(agent) if came is None else came


async def state_of(agent: Conversation, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Folder and variables, asked silently; {} where the sandbox can't say."""
    with contextlib.suppress(SandboxError):
        found = await agent.environment.inside("state", names=list(names))
        return found if isinstance(found, dict) else {}
    return {}


class Streaks:
    """Timeouts and deaths in a row, and the time of all actions together."""

    def __init__(self, timeouts: int, deaths: int, execution_s: float | None) -> None:
        self._timeouts, self._deaths, self._execution_s = timeouts, deaths, execution_s
        self._timed_out = self._died = 0
        self._spent_s = 0.0

    def count(self, outcome: Outcome) -> None:
        """Raises what ends the run: TimedOutAgain, SandboxDied, OutOfTime."""
        if not isinstance(outcome, Ran):
            return
        self._timed_out = self._timed_out + 1 if outcome.timed_out else 0
        self._died = self._died + 1 if outcome.status == "died" else 0
        self._spent_s += outcome.seconds
        if self._timed_out >= self._timeouts:
            raise TimedOutAgain(f"Stopped after {plural(self._timed_out, 'action')} in a row that took too long.")
        if self._died >= self._deaths:
            raise SandboxDied(f"Stopped: the sandbox ended {plural(self._died, 'time')} in a row.")
        if self._execution_s is not None and self._spent_s >= self._execution_s:
            raise OutOfTime(
                f"Stopped: the actions have run for {seconds(self._spent_s)}, which is as long as they may."
            )
