"""The door of files: every list, whole, in a workbook or as text."""

from api.exports.routes import router

__all__ = ["router"]
