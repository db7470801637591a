"""Conventions: versions, bilans, control, payments."""
