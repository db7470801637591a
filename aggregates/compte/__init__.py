"""Accounts: who may act, in which roles, on which territory, from when to when."""
