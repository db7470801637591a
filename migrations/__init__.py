"""Numbered SQL, forward only. The policy is in the first file."""
