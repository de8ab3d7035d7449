"""Dialects: each one bends what its sentence says, over HTTP and on a clock moved by hand."""
