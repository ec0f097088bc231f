"""What the steps after the download have made of a recording, in the forms in which others read it."""
