"""What watches the rack from outside: subscribers that may lose an event and read again."""
