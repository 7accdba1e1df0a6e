"""What outlives the process: the journal of the last hour and the transactional state."""
