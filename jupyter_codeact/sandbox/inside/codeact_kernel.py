"""ipykernel's kernel, with a reply to every cell: one that is interrupted before its first line gets none from it."""

from typing import Any

from ipykernel.ipkernel import IPythonKernel

EARLY = "KeyboardInterrupt: before the first line"


class ReplyingKernel(IPythonKernel):
    """Whoever waits for a cell would wait for ever, and a front end would show it as running."""

    async def execute_request(self, stream: Any, ident: Any, parent: Any) -> None:
        try:
            await super().execute_request(stream, ident, parent)
        except KeyboardInterrupt:
            assert self.session is not None
            error = {"ename": "KeyboardInterrupt", "evalue": "", "traceback": [EARLY]}
            self.session.send(self.iopub_socket, "error", error, parent, ident=self._topic("error"))
            reply = {**error, "status": "error", "execution_count": self.execution_count, "user_expressions": {}}
            self.session.send(stream, "execute_reply", reply, parent, ident=ident)
