import { RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { isCountedAsStandby } from '../connection/synchronous-standbys.ts'
import { SERVER_HEALTH } from './health-sql.ts'
import type { ManagedService, WalRoleHealth, WalServerHealth } from './wal-health.ts'

/** The server and the role, and what the role may see. */
export interface ServerLook {
  readonly database: string
  readonly server: WalServerHealth
  readonly role: WalRoleHealth
  readonly seesDirectory: boolean
  readonly seesProcesses: boolean
}

type Column =
  | 'version'
  | 'version_name'
  | 'wal_level'
  | 'standbys'
  | 'reader'
  | 'standby'
  | 'database'
  | 'slots'
  | 'senders'
  | 'settings'
  | 'idle_unit'
  | 'role'
  | 'superuser'
  | 'replication'
  | 'may_create'
  | 'sees_directory'
  | 'sees_processes'
  | 'managed_roles'
  | 'managing_role'

/** Services, by a role that each of their servers has. */
const SERVICES: Readonly<Record<string, ManagedService>> = {
  rds_superuser: 'Amazon RDS',
  cloudsqlsuperuser: 'Google Cloud SQL',
  azure_pg_admin: 'Azure',
  neon_superuser: 'Neon',
  supabase_admin: 'Supabase',
}
const MEGABYTE = 1024 * 1024
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 }

/** Reads the server's settings and what the role may do. The error of a failure is `pg`'s. */
export async function readServer(control: ControlConnection): Promise<ServerLook> {
  const [row] = await control.query<Column>(SERVER_HEALTH)
  if (row === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
  // The statement builds these documents, so their shape is known here.
  const settings = JSON.parse(row.settings ?? '{}') as Readonly<Record<string, string | undefined>>
  const managedRoles = JSON.parse(row.managed_roles ?? '[]') as readonly string[]
  const keep = Number(settings['max_slot_wal_keep_size'] ?? -1)
  const idle = Number(settings['idle_replication_slot_timeout'] ?? 0)
  const senderTimeout = Number(settings['wal_sender_timeout'] ?? 0)
  const isSuperuser = row.superuser === 't'
  return {
    database: row.database ?? '',
    server: {
      version: Number(row.version),
      // Some add who packaged it.
      versionName: row.version_name?.split(' ')[0] ?? '',
      walLevel: row.wal_level ?? '',
      isStandby: row.standby === 't',
      synchronousStandbyNames: row.standbys ?? '',
      countsReadersAsStandbys: isCountedAsStandby(row.standbys ?? '', row.reader ?? ''),
      managedBy: SERVICES[row.managing_role ?? ''] ?? null,
      maxReplicationSlots: Number(settings['max_replication_slots'] ?? 0),
      usedReplicationSlots: Number(row.slots),
      maxWalSenders: Number(settings['max_wal_senders'] ?? 0),
      usedWalSenders: Number(row.senders),
      maxSlotWalKeepBytes: keep < 0 ? null : keep * MEGABYTE,
      idleSlotTimeoutMs: idle === 0 ? null : idle * (UNIT_MS[row.idle_unit ?? ''] ?? 1000),
      walSenderTimeoutMs: senderTimeout === 0 ? null : senderTimeout,
    },
    role: {
      name: row.role ?? '',
      isSuperuser,
      mayReplicate: isSuperuser || row.replication === 't' || managedRoles.includes('rds_replication'),
      mayCreate: row.may_create === 't',
      managedRoles,
    },
    seesDirectory: row.sees_directory === 't',
    seesProcesses: row.sees_processes === 't',
  }
}
