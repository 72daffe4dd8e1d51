"""Benchmarks in the page: dlcore in Pyodide beside the libraries that people train with in a browser."""
