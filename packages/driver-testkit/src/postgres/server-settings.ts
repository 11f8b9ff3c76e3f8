/** Settings of every server that the kit starts: logical replication on, durability off, room for many tests at once. */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  fsync: 'off',
  full_page_writes: 'off',
  max_wal_size: '512MB',
  // In the data directory, which goes with the server, rather than in the system's shared memory.
  dynamic_shared_memory_type: 'mmap',
  max_connections: '200',
  max_wal_senders: '50',
  max_replication_slots: '100',
  max_prepared_transactions: '20',
  timezone: 'UTC',
  lc_messages: 'C',
}
