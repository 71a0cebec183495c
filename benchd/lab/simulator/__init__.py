"""The virtual rack: handsets with real adb, real file systems and real faults."""
