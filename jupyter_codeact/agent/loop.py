"""The loop: ask the model, act on its reply, tell it what came of it, until it answers.

``run → step → forward_with_handling → forward → ask, handle_action``. What happens is emitted, as events and moments,
to whoever listens: notebook, trajectory, hooks. ``conversation.py`` has what an agent remembers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import CodeActError, ConfigError, OutOfSteps
from ..events import Answered, Ran, Stopped, SubmitAction
from ..protocols import Environment, Model
from ..words import plural
from . import acting, handling
from .asking import ask
from .compaction import compact, compact_if_long
from .conversation import Conversation
from .history import ENDED, STOPPED, requery_messages
from .hooks import AbstractAgentHook, RunDone, RunStarted, StepDone, StepStarted
from .limits import Meter
from .problem import ProblemStatement
from .processors import Processor
from .shapes import AgentRunResult, Message, StepOutput
from .submission import Submission, accepted_in, collect, may_have_changed, with_patch
from .templates import TemplateConfig
from .tools import ToolHandler

if TYPE_CHECKING:
    from .config import AgentConfig

# How long a run that was stopped waits for the patch: something may still run in its sandbox.
LAST_PATCH_S = 5.0


class Agent(Conversation):
    """One conversation with a model that acts in an environment.

    ``run`` sets everything up and works on a problem until it is done; ``go_on`` takes the next prompt of the same
    conversation. Or call ``setup``, and then ``step`` in a loop.

    Parameters
    ----------
    templates, tools, history_processors, model
        What is said, what can be done, what of the history is sent (in order), and who answers.
    max_requeries
        Replies in a row that can't be acted on; the run ends with the last of them.
    name
        Whose messages in the history are sent.
    _catch_errors
        False: what goes wrong is raised, with the failed step as ``error.step``.
    _always_require_zero_exit_code
        An action that raises ends the run.
    meter
        Limits, and what was used; several agents may share one.
    hooks
        Added at once, in order.
    """

    def __init__(
        self,
        *,
        templates: TemplateConfig,
        tools: ToolHandler,
        history_processors: Sequence[Processor],
        model: Model,
        max_requeries: int = 3,
        name: str = "main",
        _catch_errors: bool = True,
        _always_require_zero_exit_code: bool = False,
        meter: Meter | None = None,
        hooks: Sequence[AbstractAgentHook] = (),
    ) -> None:
        super().__init__(
            templates=templates, tools=tools, history_processors=history_processors, model=model, name=name, meter=meter
        )
        self.max_requeries = max_requeries
        self.catch_errors = _catch_errors
        self.always_require_zero_exit_code = _always_require_zero_exit_code
        for hook in hooks:
            self.add_hook(hook)

    @classmethod
    def from_config(cls, config: AgentConfig | dict[str, Any] | Path | str) -> Self:
        """Build it from an AgentConfig, a dict, or a YAML file. Raises ConfigError that names an unknown key."""
        from .config import arguments_of

        return cls(**arguments_of(config))

    # ---- the loop

    async def run(
        self, env: Environment, problem_statement: ProblemStatement, output_dir: Path | None = Path()
    ) -> AgentRunResult:
        """Work on a problem until it is done, or the run ends in another way (``info["exit_status"]``).

        Cancelling it is the person's Stop: model and code are stopped, and history and trajectory are in order.
        Raises ConfigError and UsageError, which only a person can mend.
        """
        await self.setup(env, problem_statement, output_dir)
        return await self._until_done()

    async def go_on(
        self, env: Environment, problem_statement: ProblemStatement, output_dir: Path | None = Path()
    ) -> AgentRunResult:
        """As ``run``, with the conversation so far."""
        await self.setup_next(env, problem_statement, output_dir)
        return await self._until_done()

    def run_sync(
        self,
        opened: contextlib.AbstractAsyncContextManager[Environment],
        problem_statement: ProblemStatement,
        output_dir: Path | None = Path(),
    ) -> AgentRunResult:
        """``run`` for a script. ``opened`` is entered for the environment, which lives in the run's event loop.

        Where a loop runs already, as in a notebook, ``await`` the others.
        """

        async def whole() -> AgentRunResult:
            async with opened as env:
                return await self.run(env, problem_statement, output_dir)

        return asyncio.run(whole())

    async def _until_done(self) -> AgentRunResult:
        self.emit(RunStarted())
        try:
            while not (await self.step()).done:
                self.recorder.save_soon(self)
        except (asyncio.CancelledError, KeyboardInterrupt):
            await self._stop()
            raise
        except Exception as error:
            await self._break_off(error)
            raise
        finally:
            self.close_history(STOPPED if "exit_stopped" in (self.info["exit_status"] or "") else ENDED)
            self.save_trajectory()
            self.logger.info("The run ended: %s %r", self.info["exit_status"], self.info.get("error", ""))
            self.emit(RunDone(self.trajectory, self.info))
        return AgentRunResult(self.info, self.trajectory)

    async def step(self) -> StepOutput:
        """One action: asked for, run, and taken down."""
        self.emit(StepStarted())
        await compact_if_long(self)
        step = await self.forward_with_handling(self.messages)
        self._take_down(step)
        self.emit(StepDone(step, self.info))
        return step

    def _take_down(self, step: StepOutput) -> None:
        self.current = None
        try:
            self.add_step_to_history(step)
        finally:
            # A template that can't be rendered does not undo what ran.
            self.add_step_to_info(step)
            self.add_step_to_trajectory(step)

    async def forward_with_handling(self, history: list[Message]) -> StepOutput:
        """``forward``, with an answer to everything that may go wrong. Updates the trajectory, not the history."""
        return await handling.forward_with_handling(self, history)

    async def forward(self, history: list[Message]) -> StepOutput:
        """Query, check, execute. A reply with several actions is queried for once, and makes a step of each.

        Whatever is raised has the step as ``step``, with what is known of it.
        """
        step = self.current = StepOutput()
        try:
            if not self.pending:
                self._check_steps()
                await ask(self, history, step)
                self.pending.extend(step.actions)
            if not self.pending:
                return await self.handle_submission(step, observation=self.marker + step.thought)
            self._check_steps()
            step.call = self.pending.popleft()
            return await self.handle_action(step)
        except BaseException as error:
            error.step = step  # type: ignore[attr-defined]
            raise

    async def handle_action(self, step: StepOutput) -> StepOutput:
        """Review, execute, state, submission. A timeout interrupts the code, and what it printed is kept."""
        await acting.handle_action(self, step)
        if isinstance(step.call, SubmitAction):
            return await self.handle_submission(step, observation=self.marker + step.call.answer)
        return await self.handle_submission(step)

    # ---- how it ends

    @property
    def marker(self) -> str:
        """What stands before a submission: the run's own secret is in it, so that printed text can't forge one."""
        return f"<submission {self.nonce}>"

    async def handle_submission(self, step: StepOutput, *, observation: str = "") -> StepOutput:
        """Mark the step done where there is a submission in ``observation``, or else in the step's own."""
        _, marker, answer = (observation or step.observation).partition(self.marker)
        if marker:
            step.exit_status = "submitted"
            await self._hand_in(step, answer.strip())
            self.emit(Answered(answer.strip(), self.nonce))
        return step

    async def attempt_autosubmission_after_error(self, step: StepOutput) -> StepOutput:
        """Hand in what was accepted so far; what is known here needs no kernel, and no waiting."""
        try:
            await self._hand_in(step, "")
        finally:
            if step.submission:
                step.exit_status = f"submitted ({step.exit_status})"
        return step

    async def _hand_in(self, step: StepOutput, answer: str) -> None:
        last = accepted_in(step)
        known = collect([*self.accepted, *([last] if last else [])], answer)
        self._submit(step, known)
        # A run in which nothing was done has no patch, whatever the folder was like before.
        if self.tools.config.submits and (self.acted or may_have_changed(step)):
            self._submit(step, await with_patch(known, self.environment, self.templates.work))

    def _submit(self, step: StepOutput, submission: Submission) -> None:
        step.done, step.submission = True, submission.text
        self.info |= {"answer": submission.answer, "patch": submission.patch, "no_patch": submission.no_patch}

    def _check_steps(self) -> None:
        most = self.meter.limits.max_steps
        if most is not None and self.steps >= most:
            raise OutOfSteps(f"Stopped after {plural(self.steps, 'step')}; `--max-steps N` allows more.")

    async def _stop(self) -> None:
        """The person ended the run: what was being done is taken down as far as it came."""
        step = self.current
        running = step is not None and isinstance(step.outcome, Ran)
        self.emit(Stopped(running))
        await self._end_early(STOPPED, "exit_stopped")

    async def _break_off(self, error: Exception) -> None:
        """An error leaves the run: the conversation can go on once it is mended."""
        self.error = error
        await self._end_early(str(error), error.exit_status if isinstance(error, CodeActError) else "exit_error")
        self.info["error"] = str(error) or type(error).__name__

    async def _end_early(self, observation: str, exit_status: str) -> None:
        """Hand in what there is, and take the open step down as far as it came: what its reply called must be answered.

        The patch is all that is waited for: not for long, and not where she stops it again.
        """
        step = self.current or StepOutput()
        step.observation = step.observation or observation
        step.exit_status = exit_status
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(LAST_PATCH_S):
                await self.attempt_autosubmission_after_error(step)
        if step.message is not None or step.call is not None:
            # A template that can't be rendered is not what ended the run.
            with contextlib.suppress(ConfigError):
                self._take_down(step)
        else:
            self.add_step_to_info(step)

    # ---- what it says to the model

    def get_model_requery_history(
        self, error_template: str, *, output: str, **kwargs: str | int | float | bool | None
    ) -> list[Message]:
        """The messages for another try: those of the history, the failed ``output``, and what was wrong with it.

        error_template: ``format``, ``blocklist``, ``syntax``, or the text of a template. The history stays as it is.
        """
        problem = self.templates.error(error_template, **kwargs)
        return [*self.messages, *requery_messages(output, problem, self.name)]

    async def compact(self, **options: Any) -> list[Message] | None:
        """Have the model sum up the oldest part of the conversation: see ``compaction.compact``."""
        return await compact(self, **options)

    def save_trajectory(self) -> None:
        """Write the trajectory, whole or not at all, and wait for it."""
        self.recorder.save(self)
