"""What is read out of a line of magic."""
