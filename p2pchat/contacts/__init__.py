"""How two people become contacts: cards, requests, friend tickets, and the states in between. No I/O."""
