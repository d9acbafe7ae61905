"""A Jupyter kernel with an agent in it. See ``docs/architecture.md`` for the parts."""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built extension; called by `jupyter labextension develop`."""
    return [{"src": "labextension", "dest": "jupyter-codeact"}]
