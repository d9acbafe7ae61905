"""What is asked of both kernels: every type of message that Jupyter's protocol has."""

from __future__ import annotations

import json
import platform
from base64 import b64encode
from dataclasses import replace

from .case import (
    SANITISED,
    breakpoint_in_it,
    case,
    control,
    cursor,
    debug,
    history,
    in_subshell,
    instead,
    picture_is_asked_for,
    slider_moves,
    subshell_named,
    value_there,
    without,
)
from .conversation import Ask, Content, execute

REMEDY = "`%agent trust outputs` shows such outputs of this kernel."
STEPS = "first = 1\nsecond = first + 1\nthird = second"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1" height="1"/>'
PICTURE = f'<img src="data:image/svg+xml;base64,{b64encode(DRAWING.encode()).decode()}" alt="">'
STYLED = '<style>td { color: red }</style><p class="jp-Dialog" style="position: fixed; color: red">a</p>'
OUR_STYLED = (
    '<style>.out-scope td { color: red }</style><div class="out-scope" style="contain:content;overflow:auto">'
    '<p class="out-jp-Dialog" style="color: red">a</p></div>'
)
# What the cases take for granted, so that each can be run alone. Jedi leaves out what takes it too long.
PREAMBLE = """
import asyncio, os, subprocess, sys, threading
import ipywidgets
import matplotlib.pyplot as plt
from comm import create_comm, get_comm_manager
from IPython.display import HTML, JSON, Javascript, Latex, Markdown, SVG, clear_output, display
%config IPCompleter.use_jedi = False
get_comm_manager().register_target('go', lambda comm, message: go.set())
"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ECHO = """
def tell(what, message):
    print(what, message['content']['data'], [bytes(b) for b in message['buffers']])
def opened(comm, message):
    comm.on_msg(lambda m: (tell('heard', m), comm.send({'echo': 1}, buffers=[b'back'])))
    comm.on_close(lambda m: tell('closed', m))
    tell('opened', message)
get_comm_manager().register_target('echo', opened)
"""
SLIDER = """
slider = ipywidgets.IntSlider(value=3, description='n')
slider.observe(lambda c: print('now', c['new']), 'value')
slider
"""
WAITS = """
moved = asyncio.get_running_loop().create_future()
slider = ipywidgets.IntSlider()
slider.observe(lambda change: moved.set_result(change['new']), 'value')
print('waits\\n', end='')
await moved
"""
# It prints once the idle of the cell that lets it go has been sent: no sooner, or it would not be late.
THREAD = """
go, idle, session = threading.Event(), threading.Event(), get_ipython().kernel.session
def late():
    go.wait()
    idle.wait()
    del session.send
    print('late')
def send(stream, kind, content=None, *arguments, **options):
    sent = type(session).send(session, stream, kind, content, *arguments, **options)
    if content == {'execution_state': 'idle'}:
        idle.set()
    return sent
session.send = send
threading.Thread(target=late).start()
"""
MEMORY = """
from multiprocessing.shared_memory import SharedMemory
shared = SharedMemory(create=True, size=1)
shared.close(); shared.unlink()
try:
    os.close(os.memfd_create('memory'))
    made = True
except OSError as error:
    made = error.strerror
made
"""
BUNDLES = f"""
display({{'image/png': '{PIXEL}', 'text/plain': 'p'}}, raw=True, metadata={{'image/png': {{'width': 3}}}})
display(JSON({{'a': [1]}}), Latex('$x$'), Markdown('**b**'))
"""
# A list of texts is lines where a text is meant, and a list where JSON is.
VALUES = """
for value in (['a', 'b'], ['a'], [], [['a', 'b'], ['c']], {'a': ['b', 'c']}, 'a', 1, 1.5, 10**30, True, None):
    display({'application/json': value}, raw=True)
display(JSON(['a', 'b']), JSON([float('nan'), float('inf'), None]), JSON(['a', ['b', 'c']], expanded=True, root='top'))
for value in (['a', 'b'], {'type': 'Feature', 'geometry': None, 'properties': {'names': ['a', 'b']}}):
    display({'application/geo+json': value}, raw=True)
"""
RELEASE = Ask("comm_open", {"comm_id": "front-3", "target_name": "go", "data": {}})
OVER_COMM: Content = {"comm_id": "front-1", "target_name": "echo", "data": {"a": 1}}

CASES = [
    # ---- execute
    case("a value", "6 * 7"),
    case("nothing", "", "   ", "# a comment"),
    case("silent", execute("print('s'); 1", silent=True, store_history=False), "1"),
    case("not stored", execute("2", store_history=False), "3"),
    case("user_expressions", execute("a = 6", user_expressions={"good": "a * 7", "bad": "nope"})),
    case("silent user_expressions", execute("", silent=True, store_history=False, user_expressions={"a": "a"})),
    case("an error", "def f():\n    return 1 / 0\nf()"),
    case("an error with output before it", "print('before')\nraise ValueError('no\\nway')"),
    case("an error of grammar", "x = = 1"),
    case(
        "an error of one's own rendering",
        "class E(Exception):\n    def _render_traceback_(self): return ['mine']\nraise E",
    ),
    case("an error in a silent request", execute("1 / 0", silent=True, store_history=False)),
    case("system exit", "raise SystemExit(3)"),
    case(
        "several values",
        "%config InteractiveShell.ast_node_interactivity = 'all'\n",
        "1\n2",
        "%config InteractiveShell.ast_node_interactivity = 'last_expr'",
    ),
    case(
        "memory without a file",
        MEMORY,
        differs=instead("memory without a file", '"True"', json.dumps("'Function not implemented'")),
    ),
    case("settings of its app", "%config IPKernelApp.log_level", "%config"),
    case("what Jupyter is known by", "[type(stream).__name__ for stream in (sys.stdout, sys.stderr)]"),
    case("await", "await asyncio.sleep(0, 'slept')"),
    case("the last results", "_, __, _1, In[1], len(Out) > 1"),
    # ---- abort on error
    case(
        "an error aborts what waits",
        execute("import time; time.sleep(.3)", ends=False),
        execute("1 / 0", ends=False),
        execute("print('never')", ends=False),
        execute("2"),
    ),
    case(
        "an error that aborts nothing",
        execute("import time; time.sleep(.3)", ends=False),
        execute("1 / 0", stop_on_error=False, ends=False),
        execute("3"),
    ),
    case(
        "a silent error aborts nothing",
        execute("import time; time.sleep(.3)", ends=False),
        execute("1 / 0", silent=True, store_history=False, ends=False),
        execute("3"),
    ),
    # ---- streams
    case(
        "streams",
        "for i in range(3):\n    print('out', i, flush=True); print('err', i, file=sys.stderr, flush=True)",
    ),
    case("a flood", "for i in range(20000): print(i)"),
    case("a shell line", "!echo out; exit 3", "_exit_code"),
    case("a shell line of a local's value", "def f(command, result):\n    !echo {command} $result\nf('a', 'b')"),
    case("a shell line in the background", "!sleep 0 &"),
    case("a page of the manual", "!man ls 2>&1 | head -5"),
    case("a shell line's value", "lines = !echo a; echo b\nlines"),
    case("a cell of bash", "%%bash\necho out\nexit 2"),
    case("text that is no ASCII", "print('ünïcødé \\u2028 \\U0001f600')\n'ß'"),
    case("a flush in mid-line", "print('a', end='', flush=True); print('b', end='\\r'); print('c')"),
    case(
        "late output",
        THREAD,
        execute("idle.clear(); go.set()", hears="late"),
    ),
    case("a warning", "import warnings; warnings.warn('careful')"),
    case("a log", "import logging; logging.getLogger('x').warning('careful')"),
    # ---- displays
    case("displays", "display(1, 'a', None, [1])"),
    case("types", BUNDLES),
    case("JSON of every kind", VALUES),
    case(
        "metadata of a display",
        "display({'text/plain': 'm'}, raw=True, metadata={'text/plain': {'width': 2, 'isolated': True}, 'height': 3})",
        differs=instead("metadata of outputs", '"isolated": true, ', ""),
    ),
    case(
        "an updated display",
        "handle = display('a', display_id='mine')",
        "handle.update('b')",
        "display('c', display_id='mine', update=True)",
    ),
    case("clear_output", "print('a'); clear_output(wait=True); print('b'); clear_output()"),
    case(
        "styled HTML",
        f"HTML({STYLED!r})",
        differs=instead("HTML", json.dumps(STYLED), json.dumps(OUR_STYLED)),
    ),
    case("plain HTML", "HTML('<b>bold</b>')"),
    case(
        "active HTML",
        "HTML('<b>b</b><script>1</script>')",
        differs=instead(
            "HTML", '"<b>b</b><script>1</script>"', f'"<b>b</b><p><small>Held back: a script. {REMEDY}</small></p>"'
        ),
    ),
    case(
        "HTML with nothing in it",
        "HTML('')",
        "handle = display(HTML(''), display_id='empty')",
        "handle.update(HTML('<b>full</b>'))",
        "handle.update(HTML(''))",
        "HTML('<br>')",
        "HTML('<p></p><table></table><pre></pre>')",
        "display(Markdown(''), Latex(''))",
        "ipywidgets.HTML('')",
    ),
    case(
        "HTML that is drawn by its style",
        "HTML('<style>.container { width: 100% }</style>')",
        "HTML('<div style=\"height:9px;background:red\"></div>')",
        "HTML('<!-- a comment -->')",
        "HTML('<div id=\"x\"></div>')",
        differs=SANITISED,
    ),
    case(
        "HTML with nothing in it beside a picture",
        f"display({{'text/html': '', 'image/png': '{PIXEL}', 'text/plain': 'p'}}, raw=True)",
        differs=instead("HTML", '"text/html": "", ', ""),
    ),
    case(
        "JavaScript",
        "Javascript('1')",
        differs=instead(
            "types of output",
            '"application/javascript": "1", "text/plain": "<IPython.core.display.Javascript object>"',
            f'"text/plain": "Held back: JavaScript output. {REMEDY}"',
        ),
    ),
    case(
        "SVG",
        f"SVG({DRAWING!r})",
        differs=instead(
            "SVG",
            f'"image/svg+xml": {json.dumps(DRAWING)}',
            f'"text/html": {json.dumps(PICTURE)}',
        ),
    ),
    case("matplotlib inline", "plt.plot([1, 2]);"),
    case("a figure shown", "plt.figure(figsize=(1, 1)); plt.show()"),
    case("matplotlib in a widget", "%matplotlib widget", "plt.plot([1]);", "plt.close()", differs=SANITISED),
    # ---- payloads
    case("help", "zip?", "zip??", "?zip"),
    case("help on nothing", "nope?"),
    case("next cell", "get_ipython().set_next_input('x = 1')"),
    case("load", "%load -n json"),
    case("a pager", "from IPython.core import page; page.page('text')"),
    # ---- questions
    case("input", execute("print('got', input('name? '))", answers=["Ann"])),
    case("getpass", execute("import getpass; print(len(getpass.getpass('key? ')))", answers=["secret"])),
    case("two questions", execute("input(), input('b')", answers=["1", "2"])),
    case("no input", execute("input('a')")),
    case("a breakpoint that nobody debugs", "for i in range(2): breakpoint(); print(i)"),
    # ---- completion, inspection and the like
    case(
        "complete",
        cursor("complete_request", "os.getc"),
        cursor("complete_request", "zi"),
        cursor("complete_request", "nope."),
    ),
    case("complete in the middle", Ask("complete_request", {"code": "os.getc + 1", "cursor_pos": 7})),
    case("complete a magic", cursor("complete_request", "%matplotlib inl"), cursor("complete_request", "%%tim")),
    case(
        "complete after a character beyond the plane",
        "a\N{MATHEMATICAL BOLD SMALL B} = 1",
        cursor("complete_request", "'😀'; a\N{MATHEMATICAL BOLD SMALL B}"),
    ),
    case(
        "inspect",
        cursor("inspect_request", "zip"),
        cursor("inspect_request", "os.getcwd", detail_level=1),
        cursor("inspect_request", "nope"),
    ),
    case(
        "is_complete",
        *(Ask("is_complete_request", {"code": code}) for code in ("1", "for", "def f():\n  1", "x = = 1", "%%time\n")),
    ),
    case(
        "history",
        "'to be found'",
        history("tail", n=2),
        history("range", session=0, start=1, stop=3),
        history("search", pattern="'to be*", n=5, unique=True),
        history("tail", n=1, output=True),
    ),
    case("kernel_info", Ask("kernel_info_request"), control("kernel_info_request")),
    case("connect", Ask("connect_request")),
    case("an unknown message", Ask("nonsense")),
    # ---- comms
    case(
        "comm_info",
        ECHO,
        Ask("comm_open", OVER_COMM),
        Ask("comm_info_request"),
        Ask("comm_info_request", {"target_name": "echo"}),
        Ask("comm_info_request", {"target_name": "x"}),
    ),
    case(
        "a comm of the front end's",
        Ask("comm_msg", {"comm_id": "front-1", "data": {"b": 2}}, buffers=[b"\x00\xff"]),
        Ask("comm_close", {"comm_id": "front-1", "data": {}}),
        differs=instead("comms of other targets", '{"echo": 1}', "{}"),
    ),
    case("a comm with no target", Ask("comm_open", {"comm_id": "front-2", "target_name": "nobody", "data": {}})),
    case(
        "a widget",
        SLIDER,
        Ask("comm_msg", slider_moves, hears="now 7"),
        "slider.value",
        "slider.value = 9",
        "slider.close()",
    ),
    case(
        "a widget's message while its cell waits",
        execute(WAITS, hears="waits"),
        Ask("comm_msg", slider_moves, answered=False),
    ),
    case(
        "a widget with buffers",
        "picture = ipywidgets.Image(value=b'\\x89PNG', format='png')",
        Ask("comm_msg", picture_is_asked_for),
        "picture.value = b'\\x00\\xff'",
    ),
    case("an Output widget", "out = ipywidgets.Output()\nwith out: print('inside')\nout"),
    # ---- control
    case("usage", control("usage_request"), differs=instead("the machine", json.dumps(platform.node()), '"sandbox"')),
    case("an interrupt of nothing", control("interrupt_request")),
    case(
        "an interrupt of Python",
        execute("print('go')\nwhile True: pass", hears="go\n"),
        control("interrupt_request"),
    ),
    case("an interrupt of a subprocess", execute("!echo go; sleep 60", hears="go"), control("interrupt_request")),
    # ---- subshells
    case(
        "a subshell while the main shell is busy",
        control("create_subshell_request"),
        control("list_subshell_request"),
        "go = threading.Event()",
        execute("print('main', flush=True); go.wait(200); None", hears="main"),
        in_subshell("print('sub')"),
        in_subshell("1 / 0"),
        replace(RELEASE, subshell=True),
        "'main again'; go.clear()",
        execute("subprocess.run(['echo', 'from a subprocess']); go.wait(200); None", hears="a subprocess\n"),
        replace(RELEASE, subshell=True),
        Ask("delete_subshell_request", subshell_named, channel="control"),
        control("list_subshell_request"),
    ),
    # ---- what the sandbox does not let through, or changes
    case(
        "a comm of a target of one's own",
        "create_comm(target_name='mine');",
        differs=without("comms of other targets", "comm_open"),
    ),
    case(
        "a variable of the environment",
        "'JUPYTER_CODEACT_HOME' in os.environ",
        differs=instead("environment variables", '"True"', '"False"'),
    ),
    case(
        "next cell with our magic",
        "get_ipython().set_next_input('%agent status')",
        differs=instead("payloads", '[{"replace": false, "source": "set_next_input", "text": "%agent status"}]', "[]"),
    ),
    case(
        "this cell with other text",
        "get_ipython().set_next_input('1', replace=True)",
        differs=instead("payloads", '[{"replace": true, "source": "set_next_input", "text": "1"}]', "[]"),
    ),
    case(
        "a question like ours",
        execute("input('Run this? ')", answers=["y"]),
        differs=instead("questions", '"Run this? "', '"Asked by the code that runs: Run this? "'),
    ),
    # ---- the debugger, last: it slows down what follows
    case(
        "debugger",
        debug("debugInfo"),
        debug("initialize", clientID="x", adapterID="", pathFormat="path"),
        debug("attach"),
        debug("dumpCell", code=STEPS),
        Ask("debug_request", breakpoint_in_it, channel="control"),
        debug("configurationDone"),
        execute(STEPS, hears="stopped"),
        debug("stackTrace", threadId=1),
        Ask("debug_request", value_there, channel="control"),
        debug("continue", threadId=1),
        debug("disconnect"),
    ),
]
