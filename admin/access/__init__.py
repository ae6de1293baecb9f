"""Access: who somebody is, and what he may do in which part of the tree."""
