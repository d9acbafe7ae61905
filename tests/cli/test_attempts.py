"""A configuration with attempts: each in a fresh sandbox and workspace, and the best one's patch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import Failure, ModelServer, Reply, ToolCall

from jupyter_codeact.agent import AgentConfig, TextProblem, ToolConfig
from jupyter_codeact.agent.hooks import ModelQueried, RunDone, RunStarted
from jupyter_codeact.agent.retrying import RetryConfig, ReviewConfig
from jupyter_codeact.agent.trajectory import read
from jupyter_codeact.batch.running import Progress
from jupyter_codeact.cli import parser
from jupyter_codeact.cli.options import configured
from jupyter_codeact.errors import ConfigError
from jupyter_codeact.headless.attempts import work_on
from jupyter_codeact.headless.solve import Job, solve
from jupyter_codeact.headless.workspace import part_of
from jupyter_codeact.parts import ModelConfig
from jupyter_codeact.records.stats import read_figures
from jupyter_codeact.settings import Settings

pytestmark = pytest.mark.usefixtures("sandbox")
Command = Callable[..., Any]


def test_the_best_attempt_is_the_result(command: Command, replies: Command, checkout: Path, tmp_path: Path) -> None:
    """The second attempt finds the folder as it was, although the first wrote into it, and is the better one."""
    code = "old = open('a.txt').read()\nopen('a.txt', 'w').write(old + '{}\\n')"
    agents = [
        {"model": {"name": replies({"code": code.format(name)}, {"submit": name}, name=name)}}
        for name in ("first", "second")
    ]
    review = {"model": {"name": replies({"text": "SCORE: 0.4"}, {"text": "SCORE: 0.95"}, name="judge")}}
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": agents, "attempts": 3, "review": review}))
    out = tmp_path / "out"
    done = command("run", "--text", "go", "--config", tmp_path / "retry.yaml", "--review", "auto", "--out", out)
    assert done.code == 0, done.err
    assert sorted(path.name for path in out.iterdir()) == [
        *("attempt-1", "attempt-2", "task.ipynb", "task.patch", "task.traj"),
    ]
    patch = (out / "task.patch").read_text()
    assert patch == (out / "attempt-2" / "task.patch").read_text()
    assert " one\n+second\n" in patch
    assert (checkout / "a.txt").read_text() == "one\n"
    assert "Attempt 2 of 2 was taken: scores: 0.4, 0.95.\n" in done.out
    info = read(out / "task.traj")["info"]
    assert (info["best_attempt_idx"], info["review"]) == (1, {"accept": 0.95, "outputs": ["SCORE: 0.95"]})
    assert read(out / "attempt-1" / "task.traj")["info"]["review"]["accept"] == 0.4
    looked = command("inspect", out / "task.traj").out
    assert "attempts    Attempt 2 of 2 was taken: scores: 0.4, 0.95.\n" in looked
    assert "reviewer    SCORE: 0.95\n" in looked


async def test_each_attempt_is_set_up_anew(replies: Command, checkout: Path, home: Path) -> None:
    """A fresh kernel, which has no variables of the attempt before, and figures of its own."""
    look = "print('left' in globals())\nleft = 1"
    models = [replies({"code": look}, {"submit": name}, name=name) for name in ("first", "second")]
    review = ReviewConfig(model=ModelConfig(name=replies({"text": "SCORE: 0"}, {"text": "SCORE: 0"}, name="judge")))
    agents = tuple(AgentConfig(model=ModelConfig(name=name), tools=ToolConfig(submits=True)) for name in models)
    retry = RetryConfig(agents=agents, review=review, attempts=2)
    job = Job(TextProblem("go", "task"), agents[0], checkout, checkout.parent / "out", retry)
    heard: list[object] = []
    await work_on(job, Settings.from_environment(), listeners=[heard.append])
    moments = [type(event).__name__ for event in heard]
    assert [name for name in moments if name in ("AttemptSetUp", "RunStarted")] == ["AttemptSetUp", "RunStarted"] * 2
    documents = [read(job.folder / f"attempt-{n}" / "task.traj") for n in (1, 2)]
    assert [document["trajectory"][0]["observation"] for document in documents] == ["False", "False"]
    assert [document["info"]["model_stats"]["api_calls"] for document in documents] == [2, 2]
    assert [document["info"]["answer"] for document in documents] == ["first", "second"]


async def test_what_a_cell_puts_into_the_results_is_not_followed(
    replies: Command, checkout: Path, home: Path, tmp_path: Path
) -> None:
    """While the second attempt runs: links to hers in the first one's folder and beside it, and a forged submission."""
    hers = {kind: tmp_path / f"hers.{kind}" for kind in ("ipynb", "patch", "traj")}
    for path in hers.values():
        path.write_text('{"info": {}, "token": "secret"}')
        path.chmod(0o600)
    first = replies({"code": "open('a.txt', 'a').write('first\\n')"}, {"submit": "first"}, name="first")
    second = replies({"submit": "second"}, name="second")
    words = [{"text": f"SCORE: {score}"} for score in (0.8, 0.1)]
    review = ReviewConfig(model=ModelConfig(name=replies(*words, name="judge")))
    agents = tuple(AgentConfig(model=ModelConfig(name=n), tools=ToolConfig(submits=True)) for n in (first, second))
    retry = RetryConfig(agents=agents, review=review, attempts=2)
    out = checkout.parent / "out"
    runs: list[RunStarted] = []

    def swap(event: object) -> None:
        runs.extend([event] if isinstance(event, RunStarted) else [])
        if isinstance(event, RunStarted) and len(runs) == 2:
            for kind in ("ipynb", "traj"):
                (out / "attempt-1" / f"task.{kind}").unlink()
                (out / "attempt-1" / f"task.{kind}").symlink_to(hers[kind])
            (out / "task.patch").symlink_to(hers["patch"])

    job = Job(TextProblem("go", "task"), agents[0], checkout, out, retry)
    result = await work_on(job, Settings.from_environment(), listeners=[swap])
    assert "Attempt 1 of 2 was taken" in result.choice
    assert (list(result.files), result.exit_status) == (["patch"], "submitted")
    for kind in ("ipynb", "traj"):
        said = f"{out}/attempt-1/task.{kind} can't be copied to {out}: Too many levels of symbolic links; code in a"
        assert said in result.error
        assert not (out / f"task.{kind}").exists()
    assert "+first\n" in (out / "task.patch").read_text()
    assert not (out / "task.patch").is_symlink()
    for path in hers.values():
        assert (path.read_text(), path.stat().st_mode & 0o777) == ('{"info": {}, "token": "secret"}', 0o600)


async def test_a_folder_of_results_that_is_swapped_is_not_written_through(
    replies: Command, checkout: Path, home: Path, tmp_path: Path
) -> None:
    agent = AgentConfig(model=ModelConfig(name=replies({"submit": "Done."})), tools=ToolConfig(submits=True))
    hers, out = tmp_path / "hers", tmp_path / "out"
    hers.mkdir()
    job = Job(TextProblem("go", "task"), agent, checkout, part_of(out, "one"), out=out)

    def swap(event: object) -> None:
        if isinstance(event, RunStarted):
            (out / "one").rename(out / "before")
            (out / "one").symlink_to(hers)

    result = await solve(job, Settings.from_environment(), listeners=[swap])
    assert result.files == {
        kind: f"{out}/one/task.{end}" for kind, end in (("notebook", "ipynb"), ("trajectory", "traj"))
    }
    assert sorted(path.name for path in (out / "before").iterdir()) == ["task.ipynb", "task.traj"]
    assert not any(hers.iterdir())


def test_no_folder_is_made_behind_a_link_among_the_results(checkout: Path, tmp_path: Path) -> None:
    hers, out = tmp_path / "hers", tmp_path / "out"
    hers.mkdir()
    out.mkdir()
    (out / "one").symlink_to(hers)
    config = AgentConfig(model=ModelConfig(name="scripted/x"))
    job = Job(TextProblem("go", "task"), config, checkout, out / "one" / "attempt-1", out=out)
    with pytest.raises(ConfigError, match=f"{out}/one is a link to {hers}"):
        job.prepare()
    assert not any(hers.iterdir())


async def test_a_forged_trajectory_is_not_what_is_judged(replies: Command, checkout: Path, home: Path) -> None:
    """What the run said itself is, and what cells write into its file meanwhile is not."""
    own = replies({"text": "SCORE: 0.5"}, name="judge")
    agent = AgentConfig(model=ModelConfig(name=replies({"submit": "own words"})), tools=ToolConfig(submits=True))
    retry = RetryConfig(agents=(agent,), review=ReviewConfig(model=ModelConfig(name=own)), attempts=1)
    job = Job(TextProblem("go", "task"), agent, checkout, checkout.parent / "out", retry)
    heard: list[RunDone] = []

    def forge(event: object) -> None:
        if isinstance(event, RunDone):
            heard.append(event)
            path = job.folder / "attempt-1" / "task.traj"
            document = json.loads(path.read_text())
            path.write_text(json.dumps(document | {"info": "forged"}))

    result = await work_on(job, Settings.from_environment(), listeners=[forge])
    assert (result.answer, result.exit_status, len(heard)) == ("own words", "submitted", 1)
    assert "scores: 0.5" in result.choice


async def test_a_stop_leaves_the_best_attempt_so_far(replies: Command, checkout: Path, home: Path) -> None:
    first = replies({"code": "open('a.txt', 'a').write('first\\n')"}, {"submit": "first"}, name="first")
    second = replies({"text": "On and on."}, name="second", delay_s=600)
    review = ReviewConfig(model=ModelConfig(name=replies({"text": "SCORE: 0.4"}, name="judge")))
    agents = tuple(
        AgentConfig(model=ModelConfig(name=name), tools=ToolConfig(submits=True)) for name in (first, second)
    )
    job = Job(
        TextProblem("go", "task"),
        agents[0],
        checkout,
        checkout.parent / "out",
        RetryConfig(agents=agents, review=review),
    )
    runs: list[RunStarted] = []

    def stop(event: object) -> None:
        runs.extend([event] if isinstance(event, RunStarted) else [])
        if len(runs) == 2 and isinstance(event, ModelQueried):
            work.cancel()

    counted = Progress("task")
    work = asyncio.ensure_future(work_on(job, Settings.from_environment(), listeners=[stop, counted]))
    with pytest.raises(asyncio.CancelledError):
        await work
    assert "+first\n" in (job.folder / "task.patch").read_text()
    assert (job.folder / "task.ipynb").exists()
    # A batch says how it ended, and so do figures of what it left.
    (figures,), _ = read_figures([job.folder])
    assert (counted.ended, figures.exit_status) == ("submitted (exit_stopped)", "submitted (exit_stopped)")


def test_what_is_wrong_in_an_agent_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": [{"model": {"nam": "x"}}], "review": {}}))
    done = command("run", "--text", "go", "--config", tmp_path / "retry.yaml", "--review", "auto")
    assert done.code == 2
    assert "retry.yaml, agent 1: model.nam is no key" in done.err


@pytest.fixture
def hers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that may name addresses and keys."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    (tmp_path / "jupyter").mkdir()
    return tmp_path / "jupyter" / "retry.yaml"


def served(model_server: ModelServer) -> dict[str, Any]:
    return {"name": "openai/gpt-4o", "api_key": "sk-test", "api_base": model_server.openai_base}


LITELLM = ("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.mark.filterwarnings(*LITELLM)
@pytest.mark.parametrize("kind", ["score", "choose"])
def test_a_reviewer_s_key_that_is_refused_is_said_and_nothing_is_final(
    command: Command, replies: Command, model_server: ModelServer, *, hers: Path, tmp_path: Path, kind: str
) -> None:
    agents = [{"model": {"name": replies({"code": "1"}, {"submit": name}, name=name)}} for name in ("one", "two")]
    review = {"model": served(model_server), "kind": kind}
    hers.write_text(json.dumps({"agents": agents, "attempts": 2, "review": review}))
    made = 1 if kind == "score" else 2
    model_server.add(Failure(401, "It has expired."))
    out, flags = tmp_path / "out", ("--config", hers, "--skills", "none")
    done = command("run", "--text", "go", "--review", "auto", "--out", out, *flags)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "The service refused the key for openai/gpt-4o: " in done.err
    assert read(out / "task.traj")["info"]["exit_status"] == "submitted (exit_api)"
    assert sorted(path.name for path in out.glob("attempt-*")) == [f"attempt-{n}" for n in (1, 2)[:made]]
    assert read(out / f"attempt-{made}" / "task.traj")["info"]["exit_status"] == "submitted"
    # A batch stops, and makes it again once the key is mended.
    (tmp_path / "problems.yaml").write_text(json.dumps([{"id": "a", "text": "go"}, {"id": "b", "text": "go"}]))
    batch = ("batch", tmp_path / "problems.yaml", "--workers", 1, "--out", tmp_path / "batch", *flags)
    model_server.add(Failure(401, "It has expired."))
    stopped = command(*batch)
    assert (stopped.code, stopped.err.count("\n")) == (2, 1)
    assert "the model's service refused or failed, with what was done\t1" in stopped.out
    assert not (tmp_path / "batch" / "a" / "result.json").exists()
    model_server.add(*[Reply("SCORE: 1\nCHOICE: 2")] * 2)
    again = command(*batch)
    assert (again.code, "2 problems, 0 of them done before" in again.out) == (0, True)
    why = "scores: 1" if kind == "score" else "the reviewer chose it"
    assert again.out.count(f"was taken: {why}") == 2


@pytest.mark.filterwarnings(*LITELLM)
def test_a_reviewer_that_fails_is_told_wherever_the_result_is(
    command: Command, replies: Command, model_server: ModelServer, hers: Path, tmp_path: Path
) -> None:
    agents = [{"model": {"name": replies({"code": "1"}, {"submit": name}, name=name)}} for name in ("one", "two")]
    hers.write_text(json.dumps({"agents": agents, "attempts": 2, "review": {"model": served(model_server)}}))
    model_server.add(*[Failure(404, "No such model."), Reply("Fine, I think.")] * 2)
    out, flags = tmp_path / "out", ("--config", hers, "--skills", "none")
    done = command("run", "--text", "go", "--review", "auto", "--out", out, *flags)
    (tmp_path / "problems.yaml").write_text(json.dumps([{"id": "a", "text": "go"}]))
    many = command("batch", tmp_path / "problems.yaml", "--out", tmp_path / "batch", *flags)
    assert (done.code, many.code) == (0, 0)
    result = json.loads((tmp_path / "batch" / "a" / "result.json").read_text())
    inspected = command("inspect", out / "task.traj").out
    for told in (done.out, inspected, many.out, result["choice"] + " " + result["error"]):
        assert "Attempt 1 of 2 was taken: the first, since nobody could say" in told
        assert "Attempt 1 was not judged: The service refused the request to openai/gpt-4o (404)" in told
        assert "Attempt 2 was not judged: the reviewer's words have no `SCORE: x`" in told
    assert "since nobody could say" in (tmp_path / "batch" / "results.csv").read_text()


@pytest.mark.filterwarnings(*LITELLM)
@pytest.mark.parametrize(
    ("flags", "usd", "asked"),
    [
        (("--cost-limit", 0.5), 0.21, 3),
        (("--call-limit", 4), 0.21, 4),
        (("--token-limit", 200_000), 0.21, 3),
        # That of 3 USD, which holds where nothing else is said.
        ((), 1.05, 3),
    ],
)
def test_a_limit_of_the_run_is_for_all_attempts_and_reviews(
    command: Command,
    model_server: ModelServer,
    *,
    hers: Path,
    tmp_path: Path,
    flags: tuple[Any, ...],
    usd: float,
    asked: int,
) -> None:
    """One reply past it at most; by themselves, three attempts would ask nine times."""
    model = served(model_server)
    hers.write_text(json.dumps({"agents": [{"model": model}], "attempts": 3, "review": {"model": model}}))
    usage = (round(usd / 0.21) * 80_000, round(usd / 0.21) * 1000)
    act, submit = ToolCall("run_cell", {"code": "1"}), ToolCall("submit", {"answer": "Done."})
    turn = [Reply("", tool_calls=[act], usage=usage), Reply("", tool_calls=[submit], usage=usage)]
    model_server.add(*[*turn, Reply("SCORE: 0.2", usage=usage)] * 3)
    out = tmp_path / "out"
    words = ("--text", "go", "--review", "auto", "--skills", "none", "--config", hers, "--out", out)
    done = command("run", *words, *flags)
    assert done.code == 0, done.err
    assert len(model_server.requests) == asked
    assert f"${usd * asked:.3f}" in done.out
    assert f"`{(flags or ('--cost-limit',))[0]} " in done.out
    assert read(out / "task.traj")["info"]["exit_status"] == "submitted"


@pytest.mark.filterwarnings(*LITELLM)
def test_attempts_that_the_limit_of_a_batch_cut_short_are_made_again(
    command: Command, model_server: ModelServer, hers: Path, tmp_path: Path
) -> None:
    model = served(model_server)
    hers.write_text(json.dumps({"agents": [{"model": model}], "attempts": 2, "review": {"model": model}}))
    submit = Reply("", tool_calls=[ToolCall("submit", {"answer": "Done."})], usage=(80_000, 1000))
    model_server.add(submit, Reply("SCORE: 0.2", usage=(80_000, 1000)))
    (tmp_path / "problems.yaml").write_text(json.dumps([{"id": "a", "text": "go"}]))
    words = ("batch", tmp_path / "problems.yaml", "--out", tmp_path / "out", "--config", hers, "--skills", "none")
    first = command(*words, "--total-cost-limit", 0.4)
    assert "Attempt 2 was not begun: Stopped at the limit of $0.40 for all runs together; `--total-cost-l" in first.out
    model_server.add(submit, Reply("SCORE: 0.2"), submit, Reply("SCORE: 0.3"))
    second = command(*words, "--total-cost-limit", 5)
    assert "1 problem, 0 of them done before" in second.out
    assert "scores: 0.2, 0.3" in second.out
    # Where it is this problem's own limit that did, another try would only repeat it.
    model_server.add(submit, Reply("SCORE: 0.2", usage=(80_000, 1000)))
    command(*words, "--cost-limit", 0.4, "--redo")
    assert "1 problem, 1 of them done before" in command(*words, "--cost-limit", 0.4).out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("flags", "file", "together", "of_each"),
    [
        ([], {}, 3.0, (3.0, 0.5)),
        (["--cost-limit", "9"], {}, 9.0, (9.0, 0.5)),
        ([], {"cost_usd": 8.0}, None, (3.0, 0.5)),
        (["--cost-limit", "9"], {"cost_usd": 8.0}, 9.0, (9.0, 0.5)),
    ],
)
def test_flags_limit_the_whole_and_the_file_each_attempt(
    tmp_path: Path, flags: list[str], file: dict[str, float], together: float | None, of_each: tuple[float, float]
) -> None:
    model = {"name": "openai/gpt-4o"}
    agents = [{"model": model}, {"model": model, "limits": {"cost_usd": 0.5}}]
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": agents, "review": {"model": model}, **file}))
    options = parser().parse_args(["run", "--text", "go", "--config", str(tmp_path / "retry.yaml"), *flags])
    config, retry = configured(options)
    assert retry is not None
    assert config.limits.cost_usd == together
    assert tuple(agent.limits.cost_usd for agent in retry.agents) == of_each
    assert retry.cost_usd == file.get("cost_usd")


@pytest.mark.parametrize("wrong", ["an agent", "the reviewer"])
def test_a_model_that_can_not_be_is_said_before_any_attempt(
    command: Command, replies: Command, tmp_path: Path, wrong: str
) -> None:
    fine, none = {"model": {"name": replies({"submit": "Done."})}}, {"model": {"name": "scripted/none"}}
    agents, review = ([fine, none], fine) if wrong == "an agent" else ([fine], none)
    (tmp_path / "retry.yaml").write_text(json.dumps({"agents": agents, "review": review}))
    (tmp_path / "problems.yaml").write_text(json.dumps([{"id": "a", "text": "go"}]))
    flags = ("--config", tmp_path / "retry.yaml", "--out", tmp_path / "out")
    for words in (("run", "--text", "go", "--review", "auto"), ("batch", tmp_path / "problems.yaml")):
        done = command(*words, *flags)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "There is no script" in done.err
    assert not [*(tmp_path / "out").rglob("*.traj")]
