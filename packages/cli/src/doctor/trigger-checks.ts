import { formatTableName } from '@rowtap/core'
import type {
  ConsumerHealth,
  InstallationContent,
  TriggerFault,
  TriggerHealth,
  TriggerInstallation,
} from '@rowtap/driver-trigger'

import { bytesText } from '../format/amount.ts'
import type { Check } from './check.ts'
import { checksOf } from './check.ts'
import { ROW_SECURITY } from './wal-table-checks.ts'

const OLDEST_VERSION = 140_000

/** Whether the driver can work, and how every queue of this database stands. */
export function triggerChecks(health: TriggerHealth): readonly Check[] {
  const { server, role, obstacle, latestVersion, installations, tables } = health
  const aboutServer = checksOf('trigger', 'server')
  if (server.version < OLDEST_VERSION) {
    return [aboutServer.problem(`PostgreSQL ${server.versionName} is too old: 14 or later is needed.`)]
  }
  const checks: Check[] = [aboutServer.ok(`PostgreSQL ${server.versionName} is supported.`)]
  if (server.isStandby) {
    checks.push(aboutServer.problem('This is a standby, which cannot be written to: name the primary.'))
  }
  if (server.hasPreparedTransactions) {
    checks.push(
      aboutServer.ok(
        'Transactions can be prepared (max_prepared_transactions), so writers wake no reader: it looks for itself, every 20 ms when idle.',
      ),
    )
  }
  const aboutRole = checksOf('trigger', `role ${role.name}`)
  // What a queue lacks is told of the queue.
  const isOfRole = obstacle !== null && !installations.some(({ content }) => content?.lack === obstacle)
  checks.push(isOfRole ? adviceOf(obstacle, aboutRole.problem) : aboutRole.ok('It may make and use a queue.'))
  for (const installation of installations) checks.push(...installationChecks(installation, latestVersion))
  for (const table of tables) {
    const about = checksOf('trigger', `table ${formatTableName(table)}`)
    if (table.obstacle !== null) {
      checks.push(adviceOf(table.obstacle, about.problem))
      continue
    }
    checks.push(
      table.primaryKey.length === 0
        ? about.warning(
            `It has no primary key: the key of its events is every column, unless a listener has the option 'key', which a snapshot needs.`,
          )
        : about.ok(`It can be captured, with old rows as a whole. Its key is ${table.primaryKey.join(', ')}.`),
    )
    if (table.hasRowSecurity) checks.push(about.warning(ROW_SECURITY))
  }
  return checks
}

/** The driver's own messages end with what to run. */
function adviceOf(message: string, make: (sentence: string, ...statements: readonly string[]) => Check): Check {
  const [sentence = message, statement] = message.split(' Run: ')
  if (statement === undefined) return make(sentence)
  const statements = statement.split(/;\s*/u).map((text) => text.replace(/\.$/u, ''))
  return make(sentence, ...statements.filter((text) => text !== ''))
}

function installationChecks({ schema, content }: TriggerInstallation, latestVersion: number): readonly Check[] {
  // What cannot be read is among the unseen.
  if (content === null) return []
  const about = checksOf('trigger', `queue ${schema}`)
  const checks: Check[] = []
  if (content.version > latestVersion) {
    checks.push(about.problem('A newer version of rowtap made it: upgrade this one, or use another schema.'))
  }
  if (content.lack !== null) return [...checks, about.problem(content.lack)]
  checks.push(queueCheck(schema, content))
  checks.push(...content.consumers.map((consumer) => consumerCheck(schema, consumer)))
  for (const table of content.captured) {
    const aboutTable = checksOf('trigger', `table ${formatTableName(table)}`)
    for (const { table: part, changes, fault, statement } of table.faults) {
      const what = MISSED[changes]
      const help = statement === null ? ' Start its client again.' : ''
      checks.push(
        aboutTable.problem(
          `It is to be captured, but ${what} not, because a trigger on ${formatTableName(part)} is ${fault}.${help}`,
          ...(statement === null ? [] : [statement]),
        ),
      )
    }
    if (table.hasRowSecurity) checks.push(aboutTable.warning(ROW_SECURITY))
  }
  for (const { name, table, statement } of content.abandoned) {
    checks.push(
      checksOf('trigger', `table ${formatTableName(table)}`).warning(
        `Nobody wants it to be captured, but it still has the trigger ${name}. The next client to start removes it, where its role owns the table; otherwise it stays until the queue is removed, and the table’s owner can drop it.`,
        statement,
      ),
    )
  }
  return checks
}

/** What is not captured. */
const MISSED: Readonly<Record<TriggerFault['changes'], string>> = {
  rows: 'changes of its rows are',
  inserts: 'its inserts are',
  updates: 'its updates are',
  deletes: 'its deletes are',
  truncate: 'its emptying is',
}

function queueCheck(schema: string, { queue, consumers }: InstallationContent): Check {
  const { ok, warning } = checksOf('trigger', `queue ${schema}`)
  const count = `${queue.hasMore ? 'more than ' : ''}${queue.rows.toLocaleString('en')}`
  const oldest =
    queue.oldestCommitted === null
      ? queue.oldestTransactionsAgo === null
        ? ''
        : `, the oldest of ${queue.oldestTransactionsAgo.toLocaleString('en')} transactions ago`
      : `, the oldest of ${queue.oldestCommitted.toISOString()}`
  const state = `It holds ${count} changes${oldest}, and takes ${bytesText(queue.bytes)}.`
  if (consumers.length === 0) return warning(`${state} Nobody reads it. The next client to end removes it.`)
  return queue.hasMore ? warning(state) : ok(state)
}

/** From how many changes on it is worth a warning that a client has not handled them. */
const FAR_BEHIND = 100_000

function consumerCheck(schema: string, consumer: ConsumerHealth): Check {
  const whose = consumer.subscription === null ? `Client ${consumer.id}` : `Subscription ${consumer.subscription}`
  const about = checksOf('trigger', `queue ${schema}`)
  if (consumer.isAlive && !consumer.isExpired) {
    const state = `${whose} reads it, as server process ${consumer.processId}; tables: ${consumer.tables}; changes behind: ${consumer.behind.toLocaleString('en')}.`
    if (consumer.behind < FAR_BEHIND) return about.ok(state)
    return about.warning(
      `${state} Until it has handled them the queue keeps every change since, of whichever table: look at its handlers, and at queueLimit.`,
    )
  }
  if (consumer.subscription === null) {
    return about.warning(`${whose} ended without tidying up. The next client to start removes it.`)
  }
  if (consumer.dropped !== null) {
    return about.problem(
      `${whose} has lost its changes: ${consumer.dropped} Open it with onPositionLost: 'restart', or remove it: rowtap uninstall --subscription ${consumer.subscription}`,
    )
  }
  const since = consumer.goneSince === null ? 'at this moment' : `since ${consumer.goneSince.toISOString()}`
  return about.warning(
    `${whose} is read by nobody ${since}, and the queue keeps every change for it (${consumer.behind.toLocaleString('en')} by now). If no program will read it again, remove it: rowtap uninstall --subscription ${consumer.subscription}`,
  )
}
