"""Scripts: what we run, one file per command over the rooms, and the assembly that joins them."""
