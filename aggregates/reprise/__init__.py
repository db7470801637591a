"""Reprises: past operations taken over from a list, with their true dates."""
