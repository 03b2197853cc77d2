"""What every search for settings needs: a space, who draws from it, trials, whether a gain is luck, and a diff."""
