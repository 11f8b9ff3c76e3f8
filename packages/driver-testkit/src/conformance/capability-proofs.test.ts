import { capabilityNames } from '@rowtap/core'
import { expect, test } from 'vitest'
import { CAPABILITY_PROOFS } from './capability-proofs.ts'
import { conformanceCases } from './conformance-cases.ts'

test('every capability has a proof', () => {
  expect(Object.keys(CAPABILITY_PROOFS).toSorted()).toEqual(capabilityNames().toSorted())
})

test('no two cases have the same name', () => {
  const names = conformanceCases.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
