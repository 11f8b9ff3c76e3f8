import { triggerDriver } from '@rowtap/driver-trigger'
import { describeOutcomes } from './describe-outcomes.ts'
import { randomScripts } from './random-scripts.ts'

/** Of how many numbers scripts are made, and the first of them: `ROWTAP_SCRIPTS` and `ROWTAP_SCRIPTS_SEED`. */
const count = Number(process.env['ROWTAP_SCRIPTS'] ?? 12)
const seed = Number(process.env['ROWTAP_SCRIPTS_SEED'] ?? Math.floor(Math.random() * 1_000_000))
/** The ids that are listened to where rows are left out. */
const RANGES = [
  [-9, 4],
  [7, 9],
  [15, 20],
  [100, 103],
  [205, 311],
  [340, 345],
] as const

const scripts = randomScripts(seed, count)

describeOutcomes('driver-trigger', { scripts, create: ({ url }) => triggerDriver({ connection: url }) })

describeOutcomes('driver-trigger, where it leaves out rows that nobody wants,', {
  scripts,
  create: ({ url }) => triggerDriver({ connection: url, pushdown: 'conditions' }),
  wanted: {
    where: { or: RANGES.map(([from, to]) => ({ id: { gte: from, lt: to } })) },
    isWanted: ({ id }) => RANGES.some(([from, to]) => Number(id) >= from && Number(id) < to),
  },
})

describeOutcomes('driver-trigger, where it leaves out rows and columns that nobody wants,', {
  scripts,
  create: ({ url }) => triggerDriver({ connection: url, pushdown: 'conditions' }),
  wanted: {
    where: { or: RANGES.map(([from, to]) => ({ id: { gte: from, lt: to } })) },
    isWanted: ({ id }) => RANGES.some(([from, to]) => Number(id) >= from && Number(id) < to),
  },
  onlyKeys: true,
})
