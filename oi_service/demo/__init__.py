"""A demonstration: a real call for projects, with invented money, played through the commands."""
