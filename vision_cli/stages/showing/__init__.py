"""`vision data show`: pages of photos with what is known of them."""
