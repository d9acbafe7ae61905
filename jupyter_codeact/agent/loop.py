"""The loop: ask the model, act on its reply, tell it what came of it, until it answers.

``run → step → forward_with_handling → forward → ask, handle_action``. What happens is emitted, as events and moments,
to whoever listens: notebook, trajectory, hooks. ``conversation.py`` has what an agent remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import CodeActError, OutOfSteps
from ..events import Answered, Ran, Stopped, SubmitAction
from ..protocols import Environment, Model
from ..words import plural
from . import acting, handling
from .asking import ask
from .compaction import compact, compact_if_long
from .conversation import Conversation
from .history import ENDED, STOPPED, requery_messages
from .hooks import RunDone, RunStarted, StepDone, StepStarted
from .limits import Meter
from .problem import ProblemStatement
from .processors import Processor
from .shapes import AgentRunResult, Message, StepOutput
from .submission import accepted_in, collect, may_have_changed
from .templates import TemplateConfig
from .tools import ToolHandler

if TYPE_CHECKING:
    from .config import AgentConfig


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
    ) -> None:
        super().__init__(
            templates=templates, tools=tools, history_processors=history_processors, model=model, name=name, meter=meter
        )
        self.max_requeries = max_requeries
        self.catch_errors = _catch_errors
        self.always_require_zero_exit_code = _always_require_zero_exit_code

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

    async def _until_done(self) -> AgentRunResult:
        self.emit(RunStarted())
        try:
            while not (await self.step()).done:
                self.recorder.save_soon(self)
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._stop()
            raise
        except Exception as error:
            self._break_off(error)
            raise
        finally:
            self.close_history(STOPPED if self.info["exit_status"] == "exit_stopped" else ENDED)
            self.save_trajectory()
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
        self.add_step_to_history(step)
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
        """Hand in what was accepted so far; what is known here needs no kernel."""
        await self._hand_in(step, "")
        if step.submission:
            step.exit_status = f"submitted ({step.exit_status})"
        return step

    async def _hand_in(self, step: StepOutput, answer: str) -> None:
        # A run in which nothing was done has no patch, whatever the folder was like before.
        acted = self.acted or may_have_changed(step)
        env = self.environment if self.tools.config.submits and acted else None
        last = accepted_in(step)
        submission = await collect([*self.accepted, *([last] if last else [])], answer, env)
        step.done, step.submission = True, submission.text
        self.info |= {"answer": answer, "patch": submission.patch}

    def _check_steps(self) -> None:
        most = self.meter.limits.max_steps
        if most is not None and self.steps >= most:
            raise OutOfSteps(f"Stopped after {plural(self.steps, 'step')}; `--max-steps N` allows more.")

    def _stop(self) -> None:
        """The person ended the run: what was being done is taken down as far as it came."""
        step = self.current
        running = step is not None and isinstance(step.outcome, Ran)
        self.emit(Stopped(running))
        self._end_early(STOPPED, "exit_stopped")

    def _break_off(self, error: Exception) -> None:
        """An error leaves the run: the conversation can go on once it is mended."""
        self.error = error
        self._end_early(str(error), error.exit_status if isinstance(error, CodeActError) else "exit_error")
        self.info["error"] = str(error) or type(error).__name__

    def _end_early(self, observation: str, exit_status: str) -> None:
        """Take the open step down as far as it came: what its reply called must be answered."""
        step = self.current
        if step is not None and (step.message is not None or step.call is not None):
            step.observation = step.observation or observation
            step.done, step.exit_status = True, exit_status
            self._take_down(step)
        self.info["exit_status"] = exit_status

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
