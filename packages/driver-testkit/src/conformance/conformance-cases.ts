import { identityCases } from '../cases/law-1-identity.ts'
import { snapshotIdentityCases } from '../cases/law-1-snapshot.ts'
import { alterationCases } from '../cases/law-2-alterations.ts'
import { connectionCases } from '../cases/law-2-connection.ts'
import { nameCases } from '../cases/law-2-names.ts'
import { nothingInventedCases } from '../cases/law-2-nothing-invented.ts'
import { readyCases } from '../cases/law-2-ready.ts'
import { signalCases } from '../cases/law-2-signals.ts'
import { snapshotCases } from '../cases/law-2-snapshot.ts'
import { statementCases } from '../cases/law-2-statements.ts'
import { tableCases } from '../cases/law-2-tables.ts'
import { volumeCases } from '../cases/law-2-volume.ts'
import { messageCases } from '../cases/law-3-messages.ts'
import { nestedWriteCases } from '../cases/law-3-nested-writes.ts'
import { orderCases } from '../cases/law-3-order.ts'
import { foldCases } from '../cases/law-4-fold.ts'
import { alteredTypeCases } from '../cases/law-5-alterations.ts'
import { conditionCases } from '../cases/law-5-conditions.ts'
import { operatorCases } from '../cases/law-5-operators.ts'
import { columnCases } from '../cases/law-6-columns.ts'
import { keyCases } from '../cases/law-7-keys.ts'
import { crashCases } from '../cases/law-8-crash.ts'
import { reconnectCases } from '../cases/law-8-reconnect.ts'
import { resumeCases } from '../cases/law-8-resume.ts'
import { durableSignalCases } from '../cases/law-8-signals.ts'
import { takeOverCases } from '../cases/law-8-take-over.ts'
import { durableSnapshotCases } from '../cases/law-8-snapshot.ts'
import { alteredTableCases } from '../cases/law-9-alterations.ts'
import { databaseSettingCases } from '../cases/law-9-database-settings.ts'
import { objectCases } from '../cases/law-9-objects.ts'
import { partitionCases } from '../cases/law-9-partitions.ts'
import { planCases } from '../cases/law-9-plan.ts'
import { writerCases } from '../cases/law-9-writers.ts'
import { errorCases } from '../cases/law-11-errors.ts'
import { manifestCases } from '../cases/law-11-manifest.ts'
import { refusalCases } from '../cases/law-11-refusals.ts'
import { liveCases } from '../cases/law-12-live.ts'
import type { ConformanceCase } from './conformance-case.ts'

/** Every case, law by law. Each applies to the drivers whose manifest has what it needs. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...identityCases,
  ...snapshotIdentityCases,
  ...readyCases,
  ...statementCases,
  ...volumeCases,
  ...tableCases,
  ...alterationCases,
  ...snapshotCases,
  ...signalCases,
  ...nothingInventedCases,
  ...nameCases,
  ...connectionCases,
  ...orderCases,
  ...nestedWriteCases,
  ...messageCases,
  ...foldCases,
  ...operatorCases,
  ...conditionCases,
  ...alteredTypeCases,
  ...columnCases,
  ...keyCases,
  ...resumeCases,
  ...crashCases,
  ...takeOverCases,
  ...reconnectCases,
  ...durableSnapshotCases,
  ...durableSignalCases,
  ...writerCases,
  ...objectCases,
  ...partitionCases,
  ...planCases,
  ...alteredTableCases,
  ...databaseSettingCases,
  ...manifestCases,
  ...errorCases,
  ...refusalCases,
  ...liveCases,
]
