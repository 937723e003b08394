"""QR codes: drawn for people, and read from pictures in a child of its own."""
