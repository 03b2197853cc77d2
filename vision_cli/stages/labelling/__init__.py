"""`vision data label`, `agreement`, `gold` and `cost`: what people are asked, what they answer, how far to trust it."""
