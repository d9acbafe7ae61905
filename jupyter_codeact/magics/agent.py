"""`%%agent` runs the agent; `%agent …` tells about it and sets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..errors import UsageError
from ..protocols import AgentCell
from ..session import RunOptions, Session
from . import conversation, teaching
from .parser import Help, agent_parser, choose, skills_of

TRUST = "Outputs of this kernel may then run code in this page, as you. Trust them? [y]es, [n]o: "
HELP = """\
%%agent [options]      send the cell's text to the agent; `%%agent --help` shows the options
%agent status          model, review, sandbox, and where the conversation stands
%agent cost            tokens and USD of this conversation and of this kernel
%agent model [NAME]    show or set the model, such as anthropic/claude-sonnet-4-5 or scripted/gp_fit
%agent review [ask|auto]   ask: you run each cell. auto: the agent runs them in the sandbox
%agent trust [outputs|off]   show active outputs (JavaScript, other widgets) of this kernel, or hold them back
%agent context         what the next request would send, with its tokens
%agent history         the messages of this conversation
%agent compact         have the model sum up the older part of this conversation
%agent limit [[session] [tokens|calls] N|off]   show or set what runs may cost, such as `%agent limit 5` (USD)
%agent reset           start a new conversation; variables and skills stay"""

PROMPT = "A prompt stands below `%%agent`, in a cell of its own."
TRUSTED = ("outputs", "off")


async def run(session: Session, cell: AgentCell, line: str, prompt: str) -> None:
    """Run the agent on a prompt."""
    options = agent_parser().read(line)
    if not prompt.strip():
        raise UsageError("`%%agent` needs a prompt: write what you want below its first line.")
    skills, finds_skills = skills_of(options.skills)
    wishes = RunOptions(
        model=options.model,
        review=options.review,
        skills=skills,
        finds_skills=finds_skills,
        max_steps=options.max_steps,
        step_timeout_s=options.step_timeout,
        reasoning_effort=options.reasoning_effort,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        templates=options.templates,
    )
    if options.new:
        session.reset()
    await session.run(cell, wishes, prompt.strip())


async def answer_line(session: Session, cell: AgentCell, line: str) -> None:
    """Answer one `%agent` line."""
    word, _, rest = line.partition(" ")
    if word in ("", "help", *teaching.ASKED):
        raise Help(teaching.AGENT.get(rest.strip(), HELP))
    answers = _ANSWERS[choose("%agent", word, COMMANDS, otherwise=PROMPT)]
    if teaching.ASKED & {*rest.split()}:
        raise Help(teaching.AGENT[word])
    answer = answers(session, cell, rest.strip())
    text = answer if isinstance(answer, str) else await answer
    cell.display({"text/markdown": text, "text/plain": text.replace("**", "").replace("  \n", "\n")})


def _reset(session: Session) -> str:
    session.reset()
    return "A new conversation starts with the next `%%agent`. Variables and skills stay."


async def _trust(session: Session, cell: AgentCell, word: str) -> str:
    """Whether active outputs are shown. She is asked: the line may stand in a notebook that came from elsewhere."""
    notebook = session.notebook
    if word and choose("%agent trust", word, TRUSTED) == "off":
        notebook.trust_outputs(False)
        return "Outputs: **not trusted**. Active content is held back."
    if word and not notebook.trusts_outputs:
        if not cell.can_ask:
            raise UsageError("`%agent trust outputs` needs your word, and nobody can be asked here.")
        if (await cell.ask(TRUST)).strip().lower() not in ("y", "yes"):
            return "Outputs: **not trusted**. Nothing was changed."
        notebook.trust_outputs(True)
    if word or notebook.trusts_outputs:
        return "Outputs: **trusted** until this kernel ends. Run a cell again to see what was held back."
    return "Outputs: **not trusted**. Active content is held back; `%agent trust outputs` shows it."


_ANSWERS: dict[str, Callable[[Session, AgentCell, str], str | Awaitable[str]]] = {
    "status": lambda session, _cell, _rest: session.status(),
    "cost": lambda session, _cell, _rest: session.cost(),
    "model": lambda session, _cell, rest: session.use_model(rest),
    "review": lambda session, _cell, rest: session.use_review(rest),
    "context": lambda session, cell, _rest: conversation.context(session, cell),
    "history": lambda session, _cell, _rest: conversation.history(session),
    "compact": lambda session, _cell, _rest: conversation.compact(session),
    "limit": lambda session, _cell, rest: conversation.limit(session, rest),
    "trust": _trust,
    "reset": lambda session, _cell, _rest: _reset(session),
}
COMMANDS = tuple(_ANSWERS)
