"""The texts: numbers by date with their article, and formulas. Pure: no web, no database."""

#: Version of the formulas; every control of service fait keeps the one that it applied.
VERSION_REGLES = "2026.2"
