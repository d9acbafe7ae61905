"""Models: scripted twins, and litellm over real HTTP."""
