/** How a consumer reads. */
export type ConsumerKind =
  | 'rowtap'
  | 'rowtap, nothing wanted'
  | 'rowtap, 2 of 20 columns'
  | 'pg-logical-replication'
  | 'pg-logical-replication, acknowledging'
  | 'postgres.js'

/** Who reads a workload. */
export type Peer = ConsumerKind | 'pg_recvlogical'

/** What a consumer process is given, as JSON, as its only argument. */
export interface ConsumerOptions {
  readonly kind: ConsumerKind
  readonly url: string
  readonly table: string
  /** The publication of both tables, for those who do not make their own. */
  readonly publication: string
  /** The slot, or the subscription's name. */
  readonly slot: string
  /** How many rows are to be seen. */
  readonly rows: number
}

/** What reading a workload took, from its beginning to its end. */
export interface Reading {
  readonly seconds: number
  /** The consumer's processor time, user and system, of all its threads. */
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  /** The processor time of the server's process that sends, in all; `null` where the system does not tell. */
  readonly senderCpuSeconds: number | null
}

/** What a consumer process prints at the end, as JSON. */
export type ConsumerResult = Omit<Reading, 'senderCpuSeconds'>

/** The peers that read workloads with these columns. */
export function peersOf(table: 'narrow' | 'wide'): readonly Peer[] {
  const others: readonly Peer[] = [
    'pg_recvlogical',
    'postgres.js',
    'pg-logical-replication',
    'pg-logical-replication, acknowledging',
  ]
  return [
    ...others,
    'rowtap',
    'rowtap, nothing wanted',
    ...(table === 'wide' ? ['rowtap, 2 of 20 columns' as const] : []),
  ]
}
