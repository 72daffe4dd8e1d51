"""dlcore beside its peers: the same training steps, timed in one interleaved run (see `README.md`)."""
