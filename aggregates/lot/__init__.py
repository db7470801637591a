"""Lots: the rows of one workbook, recorded together and undone together."""
