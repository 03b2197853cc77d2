"""How an object is made: what its surface and its material do to its colours. One module a look."""
