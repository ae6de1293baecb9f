"""The soak: our own servers under load while their parts fail at random; then the books are checked."""
