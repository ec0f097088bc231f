"""`recordings import`: what another system knows of recordings, a line each, into the service.

lines       bytes to numbered lines, however long
csv_rows    lines to rows, by a header;  json_rows: lines to rows, an object each
columns     which column is which field of the contract
values      times, durations, SIDs
entries     a row to a request, or to why it is refused
sending     requests in batches, patiently
report      what became of each line
"""
