"""Benchmarks: their own command, never a test."""
