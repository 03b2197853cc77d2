"""`vision init`, `config`, `doctor` and the catalogues: the project file and the machine it runs on."""
