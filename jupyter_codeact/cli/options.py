"""Flags that several commands have, and what they make of a configuration. Imports nothing heavy."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..magics.parser import SKILLS, Parser, amount, count, number, seconds

if TYPE_CHECKING:
    from ..agent.config import AgentConfig
    from ..agent.retrying import RetryConfig
    from ..settings import Settings

T = TypeVar("T")
PACKAGES = """\
Its cells have the packages of the environment that this command is in: what tests need, pytest for example, is \
installed there (`pip install pytest`)."""
ATTEMPTS = """\
A configuration with `agents`, `attempts` and `review` has several attempts made, each in a copy of the workspace. The \
limits of cost, tokens and calls are then for all attempts and reviews of a problem together, but for those in the \
file: its `limits` hold for each attempt, and its `cost_usd` for all."""
COPIES = """\
Copies of a workspace are folders called `work` in --out. One that an earlier run made is made anew, with all that is \
in it; one of yours stays, and nothing is run there. Files of the notebook's and the trajectory's names are replaced."""
# Where our texts speak of the magic.
_MAGIC = re.compile(r"(^|`|usage: |  )%%?skill\b", re.MULTILINE)
_CELLS = re.compile(r"(?<=skill save NAME )(\[CELLS…\]|3-5)")
_OF_A_FILE = "analysis.ipynb --cells 3-5"
# Longer than any line.
WHOLE = 10_000
# A flag, and the key of the model's or the limits' configuration that it sets.
MODEL_KEYS = {
    "model": "name",
    "reasoning_effort": "reasoning_effort",
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "api_key": "api_key",
    "base_url": "api_base",
}
# What a file in the workspace may not set, and what does. A model's options may be any of litellm's, addresses too.
ELSEWHERE = {
    "hooks": "c.Agent.hooks",
    "model.api_base": "c.Agent.api_base",
    "model.api_key": "c.Agent.api_key",
    "model.options": "c.Agent.model_options",
}
BESIDE = (
    "{config} sends {file} to the model, which lies elsewhere, and code in a sandbox may have written that. Put the "
    "demonstration beside the configuration, or the configuration into one of Jupyter's config folders."
)
# Of several attempts these limit all together; those of the file hold for each.
TOGETHER = ("cost_usd", "tokens", "calls")
LIMIT_KEYS = {
    "max_steps": "max_steps",
    "cost_limit": "cost_usd",
    "token_limit": "tokens",
    "call_limit": "calls",
    "time_limit": "execution_s",
}


class Commands(Protocol):
    """What commands are added to; argparse has no public name for it."""

    def add_parser(
        self, name: str, *, help: str, description: str, epilog: str, usage: str | None
    ) -> argparse.ArgumentParser: ...


class Shape(argparse.RawDescriptionHelpFormatter):
    """Help for a terminal of any width. What begins with spaces stays as it is written; a pipe gets whole lines."""

    def __init__(self, prog: str, **options: Any) -> None:
        width = {} if sys.stdout.isatty() else {"width": WHOLE}
        super().__init__(prog, max_help_position=32, **options | width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = text.splitlines()
        return "\n".join(line if line[:1] in ("", " ") else textwrap.fill(line, width) for line in lines)


class CommandParser(Parser):
    """A command's words. What is wrong with them is raised here, by the command that it was said to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=Shape, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        self.check(args)
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.refuse(unknown[0])
        return options, unknown


def command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    help: str,
    example: str,
    more: str = "",
    usage: str | None = None,
) -> argparse.ArgumentParser:
    """A command with its help: what it does in a line, an example, and ``more``. usage: where there are many flags."""
    about = f"{help[0].upper()}{help[1:]}."
    epilog = "example:\n" + textwrap.indent(example.strip(), "  ")
    parser = commands.add_parser(name, help=help, description=f"{about}\n{more}".strip(), epilog=epilog, usage=usage)
    parser.set_defaults(run=run)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error, and what is logged")
    return parser


MODEL = (
    "such as anthropic/claude-sonnet-4-5, or scripted/FILE: replies from FILE.yaml in this folder (docs/scripted.md)"
)


def add_agent_flags(parser: argparse.ArgumentParser) -> None:
    """Configuration, model and limits."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="an agent's configuration (YAML); flags beat it")
    parser.add_argument("--skills", default="", metavar="NAMES", help=SKILLS)
    parser.add_argument("--templates", type=Path, metavar="FOLDER", help="texts that take the place of ours")
    model = parser.add_argument_group("model")
    model.add_argument("--model", metavar="NAME", help=MODEL)
    model.add_argument("--reasoning-effort", metavar="WORD", help="low, medium or high, for models that think")
    model.add_argument("--temperature", type=number, metavar="T")
    model.add_argument("--max-tokens", type=count, metavar="N", help="longest reply, in tokens")
    model.add_argument("--api-key", metavar="KEY", help="better in the environment, such as ANTHROPIC_API_KEY")
    model.add_argument("--base-url", metavar="URL", help="the model's service, where it is not the provider's own")
    limits = parser.add_argument_group("limits of a run")
    limits.add_argument("--max-steps", type=count, metavar="N", help="actions (default: 30)")
    limits.add_argument(
        "--cost-limit", type=amount, metavar="USD", help="what it may cost, with all its attempts (default: 3)"
    )
    limits.add_argument("--token-limit", type=count, metavar="N", help="tokens of the model")
    limits.add_argument("--call-limit", type=count, metavar="N", help="calls of the model")
    limits.add_argument("--time-limit", type=amount, metavar="SECONDS", help="all actions together")
    limits.add_argument("--step-timeout", type=seconds, metavar="SECONDS", help="one action (default: none)")


def given(options: argparse.Namespace, keys: dict[str, str]) -> dict[str, Any]:
    """What the flags say, under the configuration's names."""
    found = {key: getattr(options, flag) for flag, key in keys.items()}
    return {key: value for key, value in found.items() if value is not None}


def configured(options: argparse.Namespace) -> tuple[AgentConfig, RetryConfig | None]:
    """What ``--config`` and the flags say: an agent, and the attempts where the file has `agents`. Raises ConfigError.

    With attempts the agent is the first of them, with the limits of all attempts and reviews together.
    """
    from dataclasses import replace

    from .. import config as defaults
    from ..agent.config import checked, yaml_of
    from ..agent.retrying import RetryConfig
    from ..errors import ConfigError
    from ..files import innermost

    source, config = str(options.config or "the configuration"), options.config
    values, place = yaml_of(config, innermost(config, Path(), _work(options))) if config else ({}, "")
    for key in hers_alone(values):
        check_is_hers(options.config, place, key)
    for file in _elsewhere(values):
        if not _is_hers(place):
            raise ConfigError(BESIDE.format(config=options.config, file=file))
    if "agents" not in values:
        return agent_config(options, values, source), None
    agents = values["agents"] if isinstance(values["agents"], list) else [values["agents"]]
    made = [
        agent_config(options, dict(agent or {}), f"{source}, agent {n}", one_of_several=True)
        for n, agent in enumerate(agents, 1)
    ]
    retry = checked(RetryConfig, values | {"agents": made}, source)
    together = replace(defaults.load().limits(), **given(options, LIMIT_KEYS))
    if retry.cost_usd is not None and options.cost_limit is None:
        together = replace(together, cost_usd=None)
    return replace(retry.agents[0], limits=together), retry


def agent_config(
    options: argparse.Namespace, values: dict[str, Any], source: str, *, one_of_several: bool = False
) -> AgentConfig:
    """The flags over the file's ``values`` over Jupyter's configuration. Raises ConfigError."""
    from dataclasses import asdict, replace

    from .. import config as defaults
    from ..agent.config import read_config
    from ..agent.templates import TemplateConfig
    from ..errors import NoModel
    from ..models.catalog import NO_MODEL, NO_MODEL_IN_NOTEBOOK

    own, flags = defaults.load(), given(options, LIMIT_KEYS)
    if one_of_several and isinstance(said := values.get("limits"), dict):
        flags = {key: flag for key, flag in flags.items() if not (key in TOGETHER and key in said)}
    for key, default in (("model", own.model_config()), ("limits", own.limits())):
        said = values.get(key, {})
        values = values | {key: asdict(default) | said if isinstance(said, dict) else said}
    values = {"hooks": own.hooks} | values
    work = _work(options)
    config = read_config(values, source, options.config.parent if options.config else Path(), work)
    texts = TemplateConfig.from_folder(options.templates, work=work).texts if options.templates else {}
    timeout = options.step_timeout
    tools = config.tools if timeout is None else replace(config.tools, timeout_s=timeout)
    config = replace(
        config,
        model=replace(config.model, **given(options, MODEL_KEYS)),
        templates=replace(config.templates, **texts),
        limits=replace(config.limits, **flags),
        tools=replace(tools, submits=True),
    )
    if not config.model.name:
        raise NoModel(NO_MODEL, NO_MODEL_IN_NOTEBOOK)
    return config


def _work(options: argparse.Namespace) -> Path:
    """Where actions run; a batch works in copies."""
    return Path(getattr(options, "workspace", ""))


def hers_alone(values: Any) -> Iterator[str]:
    """The keys that decide what runs outside the sandbox, and where her key and her conversation are sent."""
    for mapping in _mappings(values):
        model = mapping.get("model")
        keys = {*mapping, *(f"model.{key}" for key in (model if isinstance(model, dict) else ()))}
        yield from (key for key in ELSEWHERE if key in keys)


def _mappings(values: Any) -> Iterator[dict[Any, Any]]:
    """Each mapping of a configuration, at whatever depth: that of one of several agents, too."""
    if isinstance(values, dict):
        yield values
        values = [*values.values()]
    for value in values if isinstance(values, list) else ():
        yield from _mappings(value)


def check_is_hers(path: Path, place: str, key: str) -> None:
    """What names such keys must lie where no sandbox can write. Raises ConfigError.

    place: where that lies which was read as ``path``: the name itself may lead elsewhere by now.
    """
    from jupyter_core.paths import jupyter_config_dir

    from ..errors import ConfigError

    if not _is_hers(place):
        raise ConfigError(
            f"{path} sets {key}, and lies where code in a sandbox may write. That is set in a file in one of Jupyter's "
            f"config folders, such as {jupyter_config_dir()}: there, or in jupyter_codeact_config.py "
            f"(`{ELSEWHERE[key]}`)."
        )


def _is_hers(place: str) -> bool:
    """Whether no sandbox can write there: one of Jupyter's config folders."""
    from jupyter_core.paths import jupyter_config_path

    return any(Path(place).is_relative_to(Path(folder).resolve()) for folder in jupyter_config_path())


def _elsewhere(values: Any) -> Iterator[str]:
    """Files outside of its own folder that a configuration has sent to the model."""
    for mapping in _mappings(values):
        templates = mapping.get("templates")
        shown = templates.get("demonstrations") if isinstance(templates, dict) else None
        for name in shown if isinstance(shown, list) else ():
            path = Path(str(name))
            if path.is_absolute() or ".." in path.parts:
                yield str(name)


def check_can_act(config: AgentConfig, retry: RetryConfig | None) -> None:
    """Before a run that nobody reviews. Raises UsageError where its actions would be a person's."""
    from ..errors import UsageError

    agents = retry.agents if retry else (config,)
    if any("human" in (agent.model.name, *agent.model.fallbacks) for agent in agents):
        raise UsageError("`--model human` writes its actions in the review: it needs `run` with `--review ask`.")


class Terminated(KeyboardInterrupt):
    """As a Ctrl-C, by SIGTERM: a scheduler's, or that of `timeout`."""


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end. A Stop, wherever it comes from, is a Ctrl-C; one by SIGTERM is Terminated."""
    import asyncio
    import signal

    ended = False

    async def whole() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def end() -> None:
            nonlocal ended
            # Once: another one would break off the writing of what was done.
            if task is not None and not ended:
                task.cancel()
            ended = True

        loop.add_signal_handler(signal.SIGTERM, end)
        return await work

    try:
        return asyncio.run(whole())
    except asyncio.CancelledError:
        raise (Terminated if ended else KeyboardInterrupt) from None


def here(text: str) -> str:
    """Our own texts, with the command in the magic's place: its cells are those of a notebook's file."""
    text = text.replace("in this cell; running the cell again saves it", "in your editor; closing it saves it")
    return _CELLS.sub(_OF_A_FILE, _MAGIC.sub(r"\1jupyter codeact skill", text))


def own_settings() -> Settings:
    """The settings of the environment, and our data folder made. Raises ConfigError."""
    from ..settings import Settings

    settings = Settings.from_environment()
    settings.make_folders()
    return settings


def write(path: Path, text: str) -> None:
    """A file that a command was asked for. Raises ConfigError where it can't be written."""
    from ..errors import ConfigError
    from ..files import write_atomically
    from .visible import say

    try:
        write_atomically(path, text, 0o644)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path} can't be written: {getattr(error, 'strerror', None) or error}.") from None
    say(f"Wrote {path}.")
