"""Contreparties: the national money beside the Fund's."""
