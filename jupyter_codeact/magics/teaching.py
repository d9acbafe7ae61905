"""What the words of `%agent` and `%skill` that have no options say of themselves, each with an example."""

from __future__ import annotations

ASKED = {"--help", "-h"}

AGENT = {
    "status": """\
usage: %agent status

Model, review, sandbox, working folder, the messages of the conversation, and where skills are stored.

Example:
  %agent status""",
    "cost": """\
usage: %agent cost

Tokens and USD that this conversation has used, and all conversations of this kernel. Tokens that
the service took from its cache are counted and named; where a price is not known, that is said.

Example:
  %agent cost""",
    "model": """\
usage: %agent model [NAME]

Without NAME: which model answers. With it: the model of the next runs, by its name at litellm; its
key is read from the environment that Jupyter was started from. scripted/FILE answers from FILE.yaml
in the notebook's folder (docs/scripted.md), and replay/PATH from a trajectory; both need no key.
`%%agent --model NAME` is for one run alone.

Examples:
  %agent model anthropic/claude-sonnet-4-5
  %agent model scripted/gp_fit""",
    "review": """\
usage: %agent review [ask|auto]

Without a word: which holds. ask: each cell of the agent's waits until you run it. auto: the agent
runs them, and the sandbox holds. `%%agent --review auto` is for one run alone.

Example:
  %agent review auto""",
    "trust": """\
usage: %agent trust [outputs|off]

Outputs with JavaScript, forms or unknown widgets are held back, since they could act in this page
as you. outputs: you are asked, and from then on they are shown, until this kernel ends; run a cell
again to see what it held back. off: they are held back again.

Example:
  %agent trust outputs""",
    "context": """\
usage: %agent context

What the next request would send to the model, whole, after a table of its parts with their tokens.
Nothing is sent.

Example:
  %agent context""",
    "history": """\
usage: %agent history

The messages of this conversation, a line each, with their tokens; the file that the last run is
recorded in, and its answer, whose cell may have been deleted. What is sent is in `%agent context`.

Example:
  %agent history""",
    "compact": """\
usage: %agent compact

Has the model sum up the older part of this conversation, so that the next requests cost less. It is
one model call; cells and variables stay.

Example:
  %agent compact""",
    "limit": """\
usage: %agent limit [[session] [tokens|calls] N|off]

Without a word: what runs may cost. N is in USD, or a number of tokens or of model calls; it holds
for one run, and behind `session` for all runs of this kernel. off lifts one, or all.

Examples:
  %agent limit 5
  %agent limit session 20
  %agent limit calls 40
  %agent limit off""",
    "reset": """\
usage: %agent reset

The next `%%agent` starts a new conversation. Variables, cells and skills stay.

Example:
  %agent reset""",
}

SKILL = {
    "list": """\
usage: %skill list

The skills that `import` finds here: what each does, its version and who made it, its tests, and
where an agent last used it.

Example:
  %skill list""",
    "search": """\
usage: %skill search WORDS

The skills that fit your words, best first, and why each does. An agent is offered skills for its
prompt in the same way.

Example:
  %skill search fit a gaussian process""",
    "show": """\
usage: %skill show NAME

One skill: its version, its tests and its file, what it offers, its source, its newest versions, and
where agents used it.

Example:
  %skill show gp_fit""",
    "where": """\
usage: %skill where

The folders that skills are imported from, in the order in which an import looks into them, how many
each has, and which of those a place before it hides. Put one on `sys.path` to import its skills in
another kernel.

Example:
  %skill where""",
    "log": """\
usage: %skill log NAME [--shared|--own]

The versions of a skill, the newest first: when, by whom, why, and from which cells. Every save is
one, the agent's edits and changes by hand too.

Example:
  %skill log gp_fit""",
    "diff": """\
usage: %skill diff NAME [V1 [V2]] [--shared|--own]

What the last version changed; with V1, what has changed from version V1 to now; with both, from V1 to V2.

Examples:
  %skill diff gp_fit
  %skill diff gp_fit 1 2""",
    "rollback": """\
usage: %skill rollback NAME V [--shared|--own]

Makes version V the newest one again. The versions in between stay in `%skill log`, and this can be
taken back like any other. Where both libraries had a skill of that name, it is the one that was
removed last; --shared and --own say which.

Example:
  %skill rollback gp_fit 1""",
    "rm": """\
usage: %skill rm NAME [--shared|--own]

Takes a skill away; its versions stay, and `%skill rollback` brings it back. Where your own skill
hides, or hid, a shared one of its name, the shared one is removed with --shared only.

Example:
  %skill rm gp_fit""",
}
