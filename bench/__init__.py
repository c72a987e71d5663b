"""How fast the program is, beside a bare bot in the same run; see README.md here."""
