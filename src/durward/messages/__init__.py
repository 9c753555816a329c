"""What people are told, put into words that can do no harm, and how much of it they are told at once. Pure."""
