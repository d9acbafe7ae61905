"""Scripted servers for the tests, over real sockets on loopback."""

from .http11 import Request
from .model_server import ModelServer
from .script import UNSAID, Answer, Failure, Frame, Raw, Reply, Step, ToolCall

__all__ = ["UNSAID", "Answer", "Failure", "Frame", "ModelServer", "Raw", "Reply", "Request", "Step", "ToolCall"]
