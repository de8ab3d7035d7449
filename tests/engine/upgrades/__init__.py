"""Stacks that earlier releases wrote, one folder per release; `record` makes one."""
