"""The world of the toy model: everything it can talk about, written for this project."""
