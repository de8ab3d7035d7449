"""The survey against simulated clouds over HTTP, on one clock that never sleeps."""
