"""What a conversation costs: tokens of the first request, and of a long run."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

from jupyter_codeact import tokens
from jupyter_codeact.agent.processors import default_processors

from .twins import ScriptedCells, StreamModel, agent_of, calls, printing, run, words

LINE = "row {:3} of the table: alpha beta gamma delta epsilon zeta et"
OUTPUT = "\n".join(LINE.format(n) for n in range(20))
VARIABLES = [{"name": f"frame_{n}", "type": "DataFrame", "shape": "(60, 3)", "schema": "a int64"} for n in range(8)]
STATE = {"working_dir": "/home/ana/project", "variables": VARIABLES}


async def thirty_steps() -> tuple[Any, list[str]]:
    """An agent after a run of 30 steps of 20 lines each, and the text of each of its requests."""
    model = StreamModel(*(calls(f"show({n})") for n in range(30)), words("Done."))
    agent = agent_of(model, history_processors=list(default_processors()), max_steps=None)
    # One mark has more tokens than another.
    agent.templates.mark = "7d3f08ab"
    outputs = [printing(OUTPUT.replace("row", f"row {n}")) for n in range(30)]
    await run(agent, ScriptedCells(*outputs, state=STATE), "Find the mean of each column, and plot it.")
    keys = ("role", "content", "tool_calls", "tool_call_id")
    definitions = json.dumps(agent.tools.definitions())
    sent = [json.dumps([{k: m[k] for k in keys if k in m} for m in asked]) for asked in model.asked]
    return agent, [definitions + request for request in sent]


async def test_a_run_of_thirty_steps_stays_within_its_tokens() -> None:
    agent, requests = await thirty_steps()
    assert tokens.estimated(requests[0]) <= 1200
    assert tokens.estimated(agent.history[0]["content"]) <= 900
    # By our estimate, which is above what o200k counts: by that they are 120,000, where 128,000 are meant.
    assert sum(map(tokens.estimated, requests)) <= 130_000


async def test_what_was_sent_stays_as_it_was_but_for_a_few_blocks() -> None:
    _, requests = await thirty_steps()
    grew = [longer.startswith(shorter.removesuffix("]")) for shorter, longer in pairwise(requests)]
    # Where the eighth, the sixteenth and the twenty-fourth output came (decision 0032), and nowhere else.
    assert [outputs for outputs, same in enumerate(grew, start=1) if not same] == [8, 16, 24]
    unchanged = sum(len(os.path.commonprefix(pair)) for pair in pairwise(requests))  # noqa: RUF071  # as is meant
    assert unchanged / sum(map(len, requests)) > 0.8
