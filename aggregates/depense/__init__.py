"""Dépenses: declared, corrected, controlled."""
