"""The agent without Jupyter: its readers, its history, its loop."""
