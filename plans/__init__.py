"""What is owed: plan files and pure rules on periods, days, numbers and targets."""
