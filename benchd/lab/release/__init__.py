"""What a release says of itself: its bill of materials, and under which licences its parts come.

Both are read from what is shipped, the folder of wheels, and not from what is installed here.
"""
