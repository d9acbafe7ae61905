"""What a run leaves: a step, its line in the trajectory, facts about the run, and the result of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

from ..events import Action, Outcome, Usage

Message = dict[str, Any]
"""One message of the history: OpenAI's chat shape, and ``agent``, ``message_type``, ``tags``, ``is_demo`` beside it."""


@dataclass
class StepOutput:
    """One action and what came of it; filled in while the step goes on, so that an error can carry it.

    A reply with several actions makes as many steps; only the first of them has ``query`` and ``output``.

    query: messages that the model was asked with. output: its reply as text, calls included.
    action: what ran, with the person's edits; proposed_action: as the model wrote it.
    observation: what came of it, as text. execution_time: seconds.
    exit_status, submission: set with ``done``. state: folder and variables after the action.
    call, outcome: the action and its end, as values. actions: every action of the reply; message: the reply itself.
    images: what the model is shown beside the observation.
    """

    query: list[Message] = field(default_factory=list)
    thought: str = ""
    action: str = ""
    proposed_action: str = ""
    output: str = ""
    observation: str = ""
    execution_time: float = 0.0
    done: bool = False
    exit_status: str | None = None
    submission: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_ids: list[str] | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    extra_info: dict[str, Any] = field(default_factory=dict)
    call: Action | None = None
    outcome: Outcome | None = None
    actions: list[Action] = field(default_factory=list)
    message: Message | None = None
    images: list[dict[str, Any]] = field(default_factory=list)

    def to_template_format_dict(self) -> dict[str, Any]:
        """What a template may name of a step."""
        names = ("thought", "action", "output", "observation", "exit_status", "submission")
        # The state is the sandbox's word: it takes no other's place.
        return self.state | {name: getattr(self, name) for name in names}


class TrajectoryStep(TypedDict):
    """A step as it is kept. ``query`` names messages of the history by place; it holds no copies of them.

    extra_info: among others ``model_stats``, of what was asked of the model since the step before.
    """

    action: str
    observation: str
    response: str
    state: dict[str, Any]
    thought: str
    execution_time: float
    query: list[dict[str, Any]]
    extra_info: dict[str, Any]


Trajectory = list[TrajectoryStep]


class AgentInfo(TypedDict, total=False):
    """Facts about an attempt.

    model_stats: see ``model_stats``. submission: the patch, else the answer, else the accepted cells, as text.
    cells: sources that ran well, in order. touched_cells: ids of the cells that ran. variables: names made or changed.
    no_patch: why the patch is not known, error: why it ended early, as a person reads it.

    Of several attempts: review: its score (``accept``, 0 to 1; None where nobody could say) and the reviewer's words
    (``outputs``). And of the one that was taken: choice: why, as a person reads it; best_attempt_idx: its place;
    chooser: the place and the words of a reviewer that compared them; rloop_model_stats: what the reviews used.
    """

    model_stats: dict[str, float | bool]
    exit_status: str | None
    submission: str | None
    answer: str
    patch: str
    no_patch: str
    cells: list[str]
    edited_files: list[str]
    touched_cells: list[str]
    variables: list[str]
    versions: dict[str, str]
    error: str
    review: dict[str, Any]
    choice: str
    best_attempt_idx: int
    chooser: dict[str, Any]
    rloop_model_stats: dict[str, float | bool]


@dataclass(frozen=True)
class AgentRunResult:
    """What ``Agent.run`` returns."""

    info: AgentInfo
    trajectory: Trajectory


def model_stats(used: Usage, usd: float) -> dict[str, float | bool]:
    """``instance_cost`` is what is known of the cost, in USD; ``cost_known`` says whether that is all."""
    return {
        "instance_cost": round(usd, 6),
        "cost_known": used.cost is not None,
        "tokens_sent": used.sent,
        "tokens_received": used.received,
        "tokens_cached": used.cached,
        "api_calls": used.calls,
    }
