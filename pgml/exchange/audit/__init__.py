"""What pgml wrote, read as if anybody might have: each value is checked before anything is made of it."""
