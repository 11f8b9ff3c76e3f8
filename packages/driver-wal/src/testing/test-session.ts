import type {
  CaptureRequest,
  Change,
  DriverHost,
  DriverNotice,
  DriverSession,
  DurableSubscription,
  Operation,
  Position,
  Tuple,
} from '@rowtap/core/driver'
import { eventually } from '@rowtap/driver-testkit'
import { walDriver } from '../wal-driver.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'

/** A change, with its rows read while it was delivered. */
export interface SeenChange {
  readonly kind: Operation
  readonly table: string
  readonly id: string
  readonly position: Position
  readonly transactionId: string
  readonly commitTime: Date | null
  readonly columns: readonly string[]
  readonly old: readonly (string | null | undefined)[] | null
  readonly new: readonly (string | null | undefined)[] | null
}

/** What core would give to a session, and keeps what the session tells. */
export interface TestHost extends DriverHost {
  readonly notices: DriverNotice[]
  readonly abort: () => void
}

/** A host of an ephemeral client, or of one that has a subscription. */
export function testHost(subscription?: Partial<DurableSubscription> & { readonly name: string }): TestHost {
  const controller = new AbortController()
  const notices: DriverNotice[] = []
  return {
    subscription: subscription === undefined ? null : { wait: true, onPositionLost: 'stop', ...subscription },
    signal: controller.signal,
    planOnly: false,
    messages: false,
    notices,
    notify: (notice) => notices.push(notice),
    abort: () => controller.abort(new Error('the test gave up')),
  }
}

/** An open session that reads everything, and closes when it is disposed of. */
export interface TestSession extends AsyncDisposable {
  readonly session: DriverSession
  readonly host: TestHost
  /** Every change so far. */
  readonly changes: readonly SeenChange[]
  /** Rejects when the stream fails. */
  readonly reading: Promise<void>
  /** Resolves when there are so many changes. */
  count(changes: number): Promise<readonly SeenChange[]>
}

/** How a session is opened for a test. */
export interface TestSessionOptions extends WalDriverOptions {
  readonly host?: TestHost
  /** Acknowledge each batch as it arrives. Default: yes. */
  readonly acknowledges?: boolean
  /** Keep what was told while it opened. Default: no. */
  readonly keepsNotices?: boolean
}

/** Opens a session. */
export async function testSession(options: TestSessionOptions): Promise<TestSession> {
  const { host = testHost(), acknowledges = true, keepsNotices = false, ...driverOptions } = options
  const session = await walDriver(driverOptions).open(host)
  // While it opens it may wait for whoever else uses the server: the test is about what follows.
  if (!keepsNotices) host.notices.length = 0
  const changes: SeenChange[] = []
  const reading = read(session, changes, acknowledges)
  // A test that expects a failure looks at it itself.
  reading.catch(() => undefined)
  return {
    session,
    host,
    changes,
    reading,
    async count(wanted) {
      await Promise.race([
        eventually(() => changes.length >= wanted, `${wanted} changes`),
        // A stream that fails will never deliver them.
        reading,
      ])
      return changes
    },
    [Symbol.asyncDispose]: () => session.close(),
  }
}

async function read(session: DriverSession, changes: SeenChange[], acknowledges: boolean): Promise<void> {
  for await (const batch of session.batches()) {
    changes.push(...batch.changes.map(seen))
    const last = batch.changes.at(-1)
    if (acknowledges && last !== undefined) session.acknowledge(last.position)
  }
}

function seen(change: Change): SeenChange {
  const texts = (tuple: Tuple | null): readonly (string | null | undefined)[] | null =>
    tuple === null ? null : change.relation.columns.map((_, index) => tuple.text(index))
  return {
    kind: change.kind,
    table: change.relation.name,
    id: change.id,
    position: change.position,
    transactionId: change.transaction.id,
    commitTime: change.transaction.commitTime,
    columns: change.relation.columns.map(({ name, typeName }) => `${name} ${typeName}`),
    old: texts(change.old),
    new: texts(change.new),
  }
}

/** A request for a table of the schema `public`. */
export function wanted(
  name: string,
  operations: readonly Operation[] = ['insert', 'update', 'delete', 'truncate'],
): CaptureRequest {
  return { table: { schema: 'public', name }, operations: new Set(operations), columns: null, comparedEnums: new Set() }
}
