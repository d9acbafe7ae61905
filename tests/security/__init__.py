"""What must not be possible: one test for each sentence, and each attack is shown to succeed without its protection."""
