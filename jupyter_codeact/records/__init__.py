"""Trajectories read back, ours and SWE-agent's: their steps, figures, notebooks, demonstrations."""
