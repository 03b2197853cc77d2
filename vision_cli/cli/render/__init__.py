"""One module a command: a frozen result becomes lines and tables on a `Paper`."""
