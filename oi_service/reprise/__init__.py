"""Taking over a list of past operations: reading it, recording it, saying what became of it."""
