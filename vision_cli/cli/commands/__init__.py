"""One module a command or group, named in `vision_cli.cli.table` and imported when it is asked for."""
