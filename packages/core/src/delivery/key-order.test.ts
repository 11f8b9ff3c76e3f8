import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyOrder } from './key-order.ts'

interface Task {
  readonly key: string | null
  readonly number: number
}

/** Runs tasks with a number of workers, ending a running one at random, and returns when each began and ended. */
function run(keys: readonly (string | null)[], workers: number, choose: (count: number) => number): readonly string[] {
  const order = new KeyOrder<Task>()
  const log: string[] = []
  const running: Task[] = []
  const tasks = keys.map((key, number): Task => ({ key, number }))
  let added = 0
  while (added < tasks.length || !order.isIdle) {
    while (running.length < workers) {
      const next = order.next()
      if (next !== null) {
        running.push(next)
        log.push(`begin ${next.number}`)
      } else {
        const task = order.accepts ? tasks[added] : undefined
        if (task === undefined) break
        added += 1
        order.add(task)
      }
    }
    const [done] = running.splice(choose(running.length), 1)
    if (done === undefined) throw new Error('stuck')
    log.push(`end ${done.number}`)
    order.done(done)
  }
  return log
}

test('everything runs, each key in its order and never twice at once, and a task without a key runs alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', null), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat()),
      (keys, workers, choices) => {
        const log = run(keys, workers, (count) => (choices.next().value ?? 0) % count)
        expect(log).toHaveLength(keys.length * 2)
        const at = (what: string, number: number): number => log.indexOf(`${what} ${number}`)
        for (const [later, key] of keys.entries()) {
          for (const [earlier, other] of keys.slice(0, later).entries()) {
            if (key === other || key === null || other === null) {
              expect(at('end', earlier)).toBeLessThan(at('begin', later))
            }
          }
        }
      },
    ),
  )
})

test('different keys run at once', () => {
  expect(run(['a', 'b', 'a'], 2, () => 0).slice(0, 2)).toEqual(['begin 0', 'begin 1'])
})

test('what has not begun is returned when it is forgotten, a task that waits to run alone included', () => {
  const order = new KeyOrder<Task>()
  const tasks = ['a', 'a', 'b', null].map((key, number): Task => ({ key, number }))
  for (const task of tasks) order.add(task)
  const running = order.next()
  expect(running?.number).toBe(0)
  expect(new Set(order.clear().map(({ number }) => number))).toEqual(new Set([1, 2, 3]))
  expect(order.clear()).toEqual([])
})

test('a task that runs alone is not returned', () => {
  const order = new KeyOrder<Task>()
  order.add({ key: null, number: 0 })
  expect(order.next()?.number).toBe(0)
  expect(order.clear()).toEqual([])
})
