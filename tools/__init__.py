"""Scripts of the house: build, serve, draw, normalize. None of them is imported by the package."""
