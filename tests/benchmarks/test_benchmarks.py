"""The parts of the benchmarks that can break without anybody running them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from helpers import PATIENCE_S
from servers import ModelServer

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A module of the benchmarks by name, under a name of its own: the tests have folders of the same names."""

    def load(name: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_most_of_what_a_person_asks_for_is_among_the_first_three(loaded: Callable[[str], ModuleType]) -> None:
    """The labelled queries, by words alone. The floor is a little below what is reported."""
    benchmark = loaded("skills")
    labelled = yaml.safe_load(benchmark.LABELLED.read_text())
    queries = [(text, name) for name, texts in labelled["queries"].items() for text in texts]
    assert len({text for text, _ in queries}) == len(queries) >= 100
    assert labelled["queries"].keys() == labelled["skills"].keys()
    with benchmark.searched(labelled["skills"]) as (search, _):
        share, missed = benchmark.recall(queries, search)
    assert share >= 0.85, missed


@pytest.mark.parametrize("script", ["agent.py", "kernel.py", "skills.py"])
def test_a_script_says_how_it_is_used(script: str) -> None:
    command = [sys.executable, BENCHMARKS / script, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert "--rounds" in done.stdout


def test_a_section_is_replaced_and_the_others_stay(loaded: Any, tmp_path: Path) -> None:
    write, path = loaded("results").write_section, tmp_path / "results.md"
    write("a.py", "first\n\n| a |", path)
    write("b.py", "second", path)
    write("a.py", "third", path)
    assert path.read_text() == "# Results\n\n## a.py\n\nthird\n\n## b.py\n\nsecond\n"


def test_an_action_prints_twenty_lines_of_sixty_characters_no_two_alike(loaded: Any) -> None:
    agent = loaded("agent")
    lines = [line for step in range(30) for line in agent.printed(step)]
    assert len(lines) == len(set(lines)) == 600
    assert {len(line) for line in lines} == {60}


def test_tokens_outputs_and_repetitions_are_counted(loaded: Any) -> None:
    """A contestant that forgets a line of its second step, and begins its third request anew."""
    agent = loaded("agent")
    first = {"role": "user", "content": "go"}
    shown = [{"role": "tool", "content": "\n".join(agent.printed(step))} for step in range(2)]
    shown[1]["content"] = "\n".join(agent.printed(1)[1:])
    assert [agent.lost(step, {"messages": [first, shown[step]]}) for step in range(2)] == [0, 61]
    sent = [{"messages": [first]}, {"messages": [first, shown[0]]}, {"messages": [shown[1]]}]
    counted = agent.count_tokens(sent)
    assert counted["first request"] == 2
    assert counted["broken prefixes"] == 1
    assert 0 < counted["prefix"] < 5


def test_a_worker_works_and_what_it_took_is_measured(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way with our engine, a real sandbox and two steps."""
    agent = loaded("agent")
    monkeypatch.setattr(agent, "STEPS", 2)
    (ours, *_) = agent.CONTESTANTS
    scores = agent.Scores()
    with ModelServer() as server, agent.worker(ours, Path(sys.executable), server.url) as working:
        working.word()
        agent.measure_steps(server, ours, working, scores)
        agent.measure_outputs(server, ours, working, scores)
    assert scores.values["bytes lost"] == [0]
    assert {"step", "first steps", "round trip", "record, ratio", "save"} <= scores.values.keys()
