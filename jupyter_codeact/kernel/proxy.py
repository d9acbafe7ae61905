"""The thread that moves frames between front ends and the sandbox: what comes up, and the life of the sandbox.

What the sandbox says, ``downstream.py`` passes on; whose turn it is, ``turns.py`` keeps.

Everything here runs in one thread and never waits. The host's thread reaches it through ``post``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import zmq

from .. import inside
from ..errors import SandboxUnavailable
from ..protocols import AgentHost
from ..sandbox.launch import FRESH, NO_LONGER_FRESH, Sandbox
from ..sandbox.probe import EMPTY_HOME, explain, reason
from .border import Border
from .comms import Comms
from .downstream import LEFT, Downstream
from .gate import Gate, Held
from .incoming import misfit
from .interrupts import DEAF, Interrupts
from .ledger import Ledger
from .log import Log
from .polling import Polling
from .question import Question
from .queue import Request, concerns_ours
from .requests import of_ours
from .sockets import Back, Front
from .taps import Listener, Tap, Way
from .turns import Turns
from .vigil import Vigil
from .voice import Voice
from .wire import EMPTY, Message, build

ASSISTED = ("complete_request", "inspect_request")
SHUTDOWN_S = 1.0
RETRY_MS = 2
# What nothing tells of is looked for as often as this while messages come, and not at each of them.
LOOK_S = 0.02
IN_STEP = "Variables are gone; this step runs in a fresh one."
STARTING = "Stopped by you. The sandbox has not started yet, and nothing has run."


class Proxy:
    """See the module. ``open_sandbox`` starts a sandbox; it is called again when one has died.

    failed: why a start failed that is tried once more. is_fresh: whether this sandbox took the place of another.
    news: why it did, for her next cell; in_step: whether a step of the agent's has told of it, in which it was.
    """

    def __init__(self, connection: dict[str, Any], sandbox: Sandbox, open_sandbox: Callable[..., Sandbox]) -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.session = uuid.uuid4().hex
        self.front = Front(self.context, connection)
        self.voice = Voice(self.front, self.session)
        self.turns = Turns(self.voice, self._begin)
        self.ledger = Ledger()
        self.comms = Comms()
        self.border = Border(self.comms, self.session)
        self.interrupts = Interrupts(self.border.requests, self._signal_sandbox)
        self.gate = Gate(self.front, self.voice, self.turns, self.border.requests)
        self.proposals: dict[str, Listener] = {}
        self.question = Question(self.front, self.voice)
        self.host: AgentHost | None = None
        self.open_sandbox = open_sandbox
        self.orphaned: Callable[[], bool] = lambda: False
        self.news = self.failed = ""
        self.is_fresh = self.in_step = False
        self.stop_at: float | None = None
        self.polling = Polling()
        self.downstream = Downstream(
            front=self.front,
            border=self.border,
            turns=self.turns,
            ledger=self.ledger,
            question=self.question,
            polling=self.polling,
            heard=self._open_front,
            controlled=self._on_control_reply,
            told=partial(self._pass_on, "shell"),
            session=self.session,
        )
        self.taps, self.aside = self.downstream.taps, self.downstream.aside
        self.polling.watch(self.front.heartbeat, self.front.echo)
        self.polling.watch(self.front.iopub, self._on_subscription)
        self.polling.watch(self.front.shell, self._on_front_shell)
        self.polling.watch(self.front.control, self._on_front_control)
        self.polling.watch(self.front.stdin, self._on_front_stdin)
        self._take(sandbox)

    # ---- the loop

    def run(self) -> None:
        """Until a shutdown request has been answered."""
        pause_s = look_at = 0.0
        while self.stop_at is None or time.monotonic() < self.stop_at:
            self.polling.turn(RETRY_MS if self.front.outlet.blocked else int(pause_s * 1000))
            self.front.outlet.push()
            self.downstream.hold()
            if time.monotonic() < look_at:
                pause_s = LOOK_S
                continue
            if self.orphaned():
                return
            if self.stop_at is None:
                self._check_sandbox()
            pause_s = self.vigil.period_s if self.stop_at is None else LOOK_S
            look_at = time.monotonic() + LOOK_S

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` in this thread, soon. The only method that other threads may use."""
        self.polling.post(call)

    def close(self) -> None:
        self.sandbox.close()
        self.vigil.hang_up()
        self.front.close()
        self.context.term()
        self.polling.close()

    # ---- the sandbox, and its end

    def _take(self, sandbox: Sandbox) -> None:
        """Talk to ``sandbox`` from now on. Requests wait until its iopub has said welcome."""
        self.sandbox = sandbox
        self.back = Back(self.context, sandbox.connection)
        self.vigil = Vigil(self.polling, self.back, sandbox.allowance)
        self.turns.ready = False
        if self.is_fresh:
            self.voice.status("starting", EMPTY)
        self.log = Log(self.polling, sandbox.process)
        self.downstream.take(self.back, self.is_fresh)

    def _open_front(self) -> None:
        """The sandbox hears us: let requests in."""
        if not self.turns.ready:
            self.sandbox.check_place()
            self.turns.ready = True
            self.vigil.open()
            if self.failed and self.sandbox.home is not None:
                said = EMPTY_HOME.format(reason=self.failed, aside=self.sandbox.home.settle())
                self.news, self.failed = f"{self.news}\n{said}".lstrip(), ""
            if self.sandbox.asked is not None and self.sandbox.asked.left_out:
                self.news = f"{self.news}\n{self.sandbox.asked.left_out}".lstrip()
            if self.is_fresh:
                # A front end shows the state that it heard of last: that one is starting.
                self.voice.status("idle", EMPTY)
                self.turns.stay_busy()
            for held in self.gate.let_go():
                self._pass_in(*held)
            self.turns.go_on()

    def _check_sandbox(self) -> None:
        if self.sandbox.alive and (fault := self.vigil.fault() or self.aside.fault()):
            self.aside.forget()
            self.sandbox.condemn(fault)
        if not self.sandbox.alive:
            self._on_death()
        elif self.interrupts.is_deaf() and (current := self.turns.queue.current) is not None:
            self.voice.publish("stream", {"name": "stderr", "text": DEAF}, current.message.parts[0])

    def _on_death(self) -> None:
        """The sandbox ended: say so where it was working, below its last outputs, and open a fresh one."""
        if not self.turns.ready:
            self._on_failed_start()
            return
        if self.downstream.drains():
            return
        if self.aside.busy:
            self.aside.forget()
            self.sandbox.cause += f" {LEFT}"
        self._bury()
        self.turns.ready, self.news = False, self.sandbox.news
        taps = dict(self.taps)
        self.taps.clear()
        self.in_step = any(tap.way is not Way.SWALLOW for tap in taps.values())
        for msg_id, tap in taps.items():
            self.voice.mourn(tap, self.sandbox.obituary, self.border.requests.count(msg_id))
        current = self.turns.queue.current
        if current is not None and not current.ours:
            self.turns.fail(current, "SandboxDied", self.sandbox.obituary, self.border.requests.count(current.id))
        told = {*taps} if current is None else {*taps, current.id}
        self.give_up("SandboxDied", self.sandbox.obituary, told)
        self._take(self.open_sandbox())

    def _on_failed_start(self) -> None:
        """Once more with an empty home: what cells left in the kept one may run before the sandbox can hear us."""
        if self.failed or self.sandbox.home is None:
            raise SandboxUnavailable(explain(self.log.text, self.sandbox.cause))
        self.failed = reason(self.log.text, self.sandbox.cause)
        self._bury()
        self._take(self.open_sandbox(empty_home=True))

    def _bury(self) -> None:
        self.is_fresh = True
        self.border.widgets.end()
        self.log.close()
        self.vigil.hang_up()
        self.sandbox.close()

    def give_up(self, name: str, text: str, told: Collection[str] = ()) -> None:
        """Answer what the sandbox was asked and will not end, but for the requests whose end was ``told`` already."""
        for asked in self.border.requests.end():
            if asked.idents and (asked.kind != "execute_request" or asked.id not in told):
                self.voice.refuse(asked, name, text)
            asked.replied = True
        self.turns.stay_busy()

    # ---- from the front end

    def _on_front_shell(self) -> None:
        if (message := self.gate.received("shell")) is None:
            return
        kind = message.type
        if kind == "execute_request" and not message.header.get("subshell_id"):
            self._on_execute(message)
        elif kind.startswith("comm_") and kind != "comm_info_request" and self.comms.takes(message):
            self._on_comm(message)
        elif kind in ASSISTED and self.host is not None and concerns_ours(message):
            self.voice.status("busy", message.parts[0])
            self.host.assist(message)
        else:
            if kind == "shutdown_request":
                self._prepare_end()
            self._pass_on("shell", message)

    def _on_execute(self, message: Message) -> None:
        request = Request.read(message)
        if self.proposals and request.cell_id in self.proposals:
            self._run_proposal(request)
        elif self.host is not None and self.turns.queue.current and self.host.is_being_written(request.cell_id):
            self.voice.abort(request.message)
        else:
            self.turns.add(request)

    def _run_proposal(self, request: Request) -> None:
        """Her run of a proposed cell is her approval, and what stands there is what runs.

        An error in it must not abort what the agent runs next, which is why the sandbox isn't told to.
        """
        listener = self.proposals.pop(request.cell_id)
        tap = self.taps[request.id] = Tap(Way.FORWARD, listener, request=request.message)
        self._begin_step(tap)
        self.ledger.started(request.id, request.code, request.cell_id, by_agent=True)
        expressions = inside.with_state(request.message.content.get("user_expressions"))
        action = request.message.with_content(stop_on_error=False, user_expressions=expressions)
        self._pass_in("shell", action, hers=False)
        listener(request.message)

    def _on_comm(self, message: Message) -> None:
        self.voice.status("busy", message.parts[0])
        if self.host is not None:
            self.host.on_comm(self.comms.read(message))
        self.voice.status("idle", message.parts[0])
        self.turns.stay_busy()

    def _on_front_control(self) -> None:
        if (message := self.gate.received("control")) is None:
            return
        if message.type == "interrupt_request" and (self.turns.ours or not self.turns.ready):
            if self.turns.ours and self.host is not None:
                # The host interrupts what runs in the sandbox itself: a second interrupt would hit what comes after.
                self.host.stop()
                for waiting in self.gate.drop(self.taps):
                    self.voice.mourn(self.taps.pop(waiting.id), STARTING)
            else:
                self.turns.fail_all("KeyboardInterrupt", STARTING)
            self.voice.status("busy", message.parts[0])
            self.voice.reply(message, self.front.control, "interrupt_reply", {"status": "ok"})
            self.voice.status("idle", message.parts[0])
            self.turns.stay_busy()
            return
        if message.type == "shutdown_request":
            self._prepare_end()
        self._pass_on("control", message)

    def _prepare_end(self) -> None:
        self.stop_at = time.monotonic() + SHUTDOWN_S
        if self.host is not None:
            self.host.stop()

    def _on_front_stdin(self) -> None:
        message = self.front.receive(self.front.stdin)
        if message is not None and not misfit(message) and not self.question.takes(message):
            self.back.send(self.back.stdin, message)

    def _on_subscription(self) -> None:
        if (topic := self.front.subscribed()) is not None:
            self.voice.welcome(topic)

    # ---- from the sandbox, beside what ``downstream`` passes on

    def _on_control_reply(self, message: Message) -> None:
        if message.type == "interrupt_reply":
            self.interrupts.answered(in_time=message.content.get("status") == "ok")
            message = message.with_content(status="ok")
        elif message.type == "shutdown_reply":
            self.stop_at = time.monotonic() + 0.15
        if message.idents:
            self.front.answer(self.front.control, message)

    # ---- to the sandbox

    def _begin(self, request: Request) -> None:
        """Its turn has come. News is for her: extensions that ask for themselves may come first."""
        if self.news and request.is_stored:
            self.voice.publish("stream", {"name": "stderr", "text": self.news + "\n"}, request.message.parts[0])
            self.news = ""
        if request.ours and self.host is not None:
            self.voice.status("busy", request.message.parts[0])
            self.host.start(request)
        else:
            if not request.silent:
                self.ledger.started(request.id, request.code, request.cell_id)
            self._pass_in("shell", request.message)

    def _pass_on(self, channel: str, message: Message) -> None:
        """As ``_pass_in``, for what waits for no turn."""
        if self.gate.admits(channel, message):
            self._pass_in(channel, message)

    def _pass_in(self, channel: str, message: Message, hers: bool = True) -> None:
        """Send a request to the sandbox; what comes back is matched to it. ``hers``: a person wrote what it runs."""
        if not self.turns.ready:
            self.gate.hold(Held(channel, message, hers))
            return
        self.border.sent(message, channel, hers)
        if message.type == "interrupt_request":
            message = message.with_content(until=self.interrupts.asked())
        self.back.send(self.back.shell if channel == "shell" else self.back.control, message)

    # ---- for the host, through post

    def finish(self, request: Request, content: dict[str, Any]) -> None:
        """Answer the cell of ours whose turn it is; what it asked is asked no longer."""
        self.question.drop()
        self.turns.answer(request, content)

    def submit(
        self,
        code: str,
        tap: Tap,
        cell_id: str = "",
        *,
        silent: bool = False,
        record: bool = True,
        expressions: dict[str, str] | None = None,
    ) -> str:
        """Run ``code`` in the sandbox for the host; returns the message id."""
        message = build("execute_request", of_ours(code, silent, expressions or {}), self.session)
        self.taps[message.id] = tap
        if record:
            self.ledger.started(message.id, code, cell_id, by_agent=True)
            self._begin_step(tap)
        self._pass_in("shell", message, hers=False)
        return message.id

    def _begin_step(self, tap: Tap) -> None:
        """The first step in a fresh sandbox says so, unless the last one has: her own cell then has yet to hear of it.

        What steps leave there is there for her own cells.
        """
        if self.in_step:
            self.news = self.news.replace(FRESH, NO_LONGER_FRESH)
        elif self.news:
            self.voice.explain(tap, self.news.replace(FRESH, IN_STEP) + "\n")
            self.news = ""

    def interrupt_sandbox(self) -> None:
        """Interrupt what runs in the sandbox; its answer is nobody's."""
        self._pass_in("control", build("interrupt_request", {}, self.session))

    def _signal_sandbox(self) -> None:
        self.sandbox.interrupt()

    def restart_sandbox(self) -> None:
        """End the sandbox, as code that can't be interrupted wants it, and open a fresh one."""
        if self.turns.ready:
            self.sandbox.process.kill()
            self.sandbox.process.wait()
            self.aside.forget()
            self._check_sandbox()

    def answer_assist(self, request: Message, content: dict[str, Any]) -> None:
        """Answer a completion or an inspection in a cell of ours."""
        self.voice.reply(request, self.front.shell, request.type.replace("_request", "_reply"), content)
        self.voice.status("idle", request.parts[0])
        self.turns.stay_busy()
