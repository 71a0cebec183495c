"""The fleet's centre: takes many racks' records in, onto PostgreSQL; a rack needs none of it."""
