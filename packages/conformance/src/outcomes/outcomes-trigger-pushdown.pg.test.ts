import { triggerDriver } from '@rowtap/driver-trigger'
import { describeOutcomes } from './describe-outcomes.ts'
import { everyScript } from './every-script.ts'

/** The ids that are listened to: a few here and there, among all that the scripts write. */
const RANGES = [
  [-9, 2],
  [5, 12],
  [20, 28],
  [100, 103],
  [200, 311],
  [501, 602],
  [700, 703],
  [1010, 3005],
] as const

describeOutcomes('driver-trigger, where it leaves out rows that nobody wants,', {
  scripts: everyScript,
  create: ({ url }, { replicated = false }) =>
    triggerDriver({ connection: url, enableAlways: replicated, pushdown: 'conditions' }),
  wanted: {
    where: { or: RANGES.map(([from, to]) => ({ id: { gte: from, lt: to } })) },
    isWanted: ({ id }) => RANGES.some(([from, to]) => Number(id) >= from && Number(id) < to),
  },
})

describeOutcomes('driver-trigger, where it leaves out columns that nobody wants,', {
  scripts: everyScript,
  create: ({ url }, { replicated = false }) =>
    triggerDriver({ connection: url, enableAlways: replicated, pushdown: 'conditions' }),
  onlyKeys: true,
})
