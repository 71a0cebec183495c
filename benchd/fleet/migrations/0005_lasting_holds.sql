-- Jobs that hold their handset last, too: all is noted anew when the centre starts.
UPDATE branch SET noted_sequence = 0;
