import { expect, test } from 'vitest'
import { seededRandom } from '../tools/seeded-random.ts'
import { drawMisfortunes, MISFORTUNES } from './misfortunes.ts'

test('ten misfortunes are one of each kind, in the same order for the same seed', () => {
  const drawn = drawMisfortunes(seededRandom(1), 20, true)
  for (const ten of [drawn.slice(0, 10), drawn.slice(10)])
    expect(new Set(ten)).toEqual(new Set(Object.keys(MISFORTUNES)))
  expect(drawMisfortunes(seededRandom(1), 20, true)).toEqual(drawn)
})

test('a server that is not the test’s own is not restarted', () => {
  expect(drawMisfortunes(seededRandom(1), 50, false).filter((kind) => kind.startsWith('restart'))).toEqual([])
})
