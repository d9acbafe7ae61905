"""The agent: ``loop.py`` is the whole of it on one screen; ``conversation.py`` is what it remembers.

Knows nothing of Jupyter and of model services: it is given a Model, an Environment and an Editor (``protocols.py``).
"""

from .config import AgentConfig
from .hooks import AbstractAgentHook
from .limits import Limits, Meter
from .loop import Agent
from .problem import FileProblem, GithubIssue, ProblemStatement, TextProblem, problem_of
from .shapes import AgentInfo, AgentRunResult, StepOutput, Trajectory, TrajectoryStep
from .templates import TemplateConfig
from .tools import ToolConfig, ToolHandler
from .trajectory import ReplayConfig

__all__ = [
    "AbstractAgentHook",
    "Agent",
    "AgentConfig",
    "AgentInfo",
    "AgentRunResult",
    "FileProblem",
    "GithubIssue",
    "Limits",
    "Meter",
    "ProblemStatement",
    "ReplayConfig",
    "StepOutput",
    "TemplateConfig",
    "TextProblem",
    "ToolConfig",
    "ToolHandler",
    "Trajectory",
    "TrajectoryStep",
    "problem_of",
]
