/** A message of the write-ahead log as the socket gives it. */
export function walData(lsn: bigint, data: Uint8Array): Buffer {
  const header = Buffer.alloc(30)
  header.write('d', 0, 'latin1')
  header.writeUInt32BE(29 + data.length, 1)
  header.write('w', 5, 'latin1')
  header.writeBigUInt64BE(lsn, 6)
  header.writeBigUInt64BE(lsn, 14)
  return Buffer.concat([header, data])
}
