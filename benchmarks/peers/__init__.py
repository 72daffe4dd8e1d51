"""One module per peer, with `build(task, device, **options) -> Runner`; it imports the engine at its top."""
