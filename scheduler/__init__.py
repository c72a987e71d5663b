"""What is due: the rules of reminders and the ticks that find them."""
