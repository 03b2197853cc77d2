"""How an object is joined to the photo at its seam. One module a blend."""
