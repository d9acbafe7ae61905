"""ipykernel's app, which needs no client of a kernel to be one."""

from typing import Any

from ipykernel import kernelapp
from traitlets import Type, default


class IPKernelApp(kernelapp.IPKernelApp):
    """Named as a string, the class of its clients is imported, with all that it needs, before a kernel starts.

    Its name is that of the section which `%config` sets.
    """

    blocking_class = Type(klass=object)

    @default("blocking_class")
    def _blocking_class(self) -> Any:
        from jupyter_client.blocking.client import BlockingKernelClient

        return BlockingKernelClient
