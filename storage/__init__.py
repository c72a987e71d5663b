"""What is known: the tables and the questions asked of them."""
