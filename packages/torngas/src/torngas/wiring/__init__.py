"""Pure functions that turn settings into library objects; the only code that spells the settings' names."""
