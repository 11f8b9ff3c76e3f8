import { quoteIdentifier } from '@rowtap/core'
import type { ManagedService, WalHealth } from '@rowtap/driver-wal'

import { bytesText, durationText } from '../format/amount.ts'
import type { Check } from './check.ts'
import { checksOf } from './check.ts'

const OLDEST_VERSION = 140_000

/** Where `wal_level` is set on a server that a service runs. */
const LOGICAL_ON: Readonly<Record<ManagedService, string>> = {
  'Amazon RDS': 'set rds.logical_replication to 1 in the parameter group, and reboot',
  'Google Cloud SQL': 'set the flag cloudsql.logical_decoding to on, which restarts the server',
  Azure: 'set the server parameter wal_level to logical, and restart the server',
  Neon: 'switch logical replication on in the project’s settings',
  Supabase: 'ask the service: it is on by default',
}

/** What to do where slots may hold any amount of the log. */
const LIMIT_ADVICE: Readonly<Record<ManagedService | 'itself', string>> = {
  itself: 'Choose what the disk can spare.',
  'Amazon RDS': 'Set it in the parameter group, to what the storage can spare.',
  'Google Cloud SQL': 'Set it with the instance’s flags, where it is among them, or watch the slots.',
  Azure: 'The service does not let it be set: watch the slots.',
  Neon: 'The service removes slots that nobody reads for long.',
  Supabase: 'Set it with the service’s command, to what the disk can spare.',
}

/** Whether the server and the role let the driver work. */
export function walServerChecks({ server, role, database }: WalHealth): readonly Check[] {
  const { ok, warning, problem } = checksOf('wal', 'server')
  if (server.version < OLDEST_VERSION) {
    return [problem(`PostgreSQL ${server.versionName} is too old: 14 or later is needed.`)]
  }
  const checks: Check[] = [ok(`PostgreSQL ${server.versionName} is supported.`)]
  checks.push(walLevelCheck(server))
  if (server.isStandby) checks.push(problem('This is a standby, where no publication can be made: name the primary.'))
  if (server.countsReadersAsStandbys) {
    checks.push(
      problem(
        `synchronous_standby_names is ${server.synchronousStandbyNames}, which takes whoever reads changes for a standby: commits would wait for handlers, and the driver refuses to start. Name the standbys one by one.`,
      ),
    )
  }
  checks.push(
    roomCheck(server, 'replication slots', 'max_replication_slots'),
    roomCheck(server, 'replication connections', 'max_wal_senders'),
  )
  checks.push(
    server.maxSlotWalKeepBytes === null
      ? warning(
          `max_slot_wal_keep_size sets no limit: a subscription that nobody reads fills the disk. ${LIMIT_ADVICE[server.managedBy ?? 'itself']}`,
          ...alterSystem(server, `max_slot_wal_keep_size = '10GB'`),
        )
      : ok(`A subscription that nobody reads holds no more than ${bytesText(server.maxSlotWalKeepBytes)} of the log.`),
  )
  if (server.idleSlotTimeoutMs !== null) {
    checks.push(
      warning(
        `A subscription that nobody reads for ${durationText(server.idleSlotTimeoutMs / 1000)} loses its place (idle_replication_slot_timeout).`,
      ),
    )
  }
  if (server.walSenderTimeoutMs === null) {
    checks.push(
      warning(
        'wal_sender_timeout is off: a reader that vanishes without a word keeps its subscription from others.',
        ...alterSystem(server, `wal_sender_timeout = '60s'`),
      ),
    )
  }
  return [...checks, ...roleChecks(role, server.managedBy, database)]
}

function walLevelCheck({ walLevel, managedBy }: WalHealth['server']): Check {
  const { ok, problem } = checksOf('wal', 'server')
  if (walLevel === 'logical') return ok('wal_level is logical.')
  const found = `wal_level is ${walLevel}, and must be logical`
  return managedBy === null
    ? problem(`${found}; the server has to be restarted afterwards.`, `ALTER SYSTEM SET wal_level = 'logical'`)
    : problem(`${found}: on ${managedBy}, ${LOGICAL_ON[managedBy]}.`)
}

function roomCheck(
  server: WalHealth['server'],
  what: string,
  setting: 'max_replication_slots' | 'max_wal_senders',
): Check {
  const { ok, problem } = checksOf('wal', 'server')
  const [used, most] =
    setting === 'max_wal_senders'
      ? [server.usedWalSenders, server.maxWalSenders]
      : [server.usedReplicationSlots, server.maxReplicationSlots]
  if (used < most) return ok(`${used} of ${most} ${what} are in use (${setting}).`)
  return problem(
    `All ${most} ${what} are in use: a higher ${setting} is needed, and a restart of the server.`,
    ...alterSystem(server, `${setting} = ${most + 10}`).slice(0, 1),
  )
}

/** The statements that change a setting, where statements do. */
function alterSystem({ managedBy }: WalHealth['server'], setting: string): readonly string[] {
  return managedBy === null ? [`ALTER SYSTEM SET ${setting}`, 'SELECT pg_catalog.pg_reload_conf()'] : []
}

function roleChecks(role: WalHealth['role'], managedBy: ManagedService | null, database: string): readonly Check[] {
  const { ok, problem } = checksOf('wal', `role ${role.name}`)
  const name = quoteIdentifier(role.name)
  return [
    role.mayReplicate
      ? ok('It may replicate.')
      : problem(
          'It may not replicate.',
          managedBy === 'Amazon RDS' ? `GRANT rds_replication TO ${name}` : `ALTER ROLE ${name} REPLICATION`,
        ),
    role.mayCreate
      ? ok('It may make publications.')
      : problem('It may not make publications.', `GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${name}`),
  ]
}
