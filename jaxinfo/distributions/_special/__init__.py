"""Special functions that closed forms lean on, with their derivatives, a file for each kind."""
