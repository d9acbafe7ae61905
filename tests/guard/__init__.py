"""The output guard: what goes in, what comes out, and that nothing active is left."""
