"""The skill library: cells to modules, the editor, the folder."""
