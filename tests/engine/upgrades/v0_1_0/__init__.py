"""Stacks written by release 0.1.0."""
