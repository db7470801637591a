"""Personal data: ciphered under one key per person, kept outside the log."""
