import { expect, test } from 'vitest'
import { isSameOwner, ownerOfPublication, ownerOfSlot } from './owned-name.ts'

const BILLING = { kind: 'subscription', subscription: 'billing' } as const
const CLIENT = { kind: 'ephemeral', digits: '0123456789abcdef' } as const

test.each([
  ['rowtap_s_16384_billing', BILLING],
  ['rowtap_s_16384_a_b_all', { kind: 'subscription', subscription: 'a_b_all' }],
  ['rowtap_e_0123456789abcdef', CLIENT],
  ['rowtap_s_billing', null],
  ['rowtap_e_0123', null],
  ['other_rowtap_s_1_a', null],
])('the slot %s', (name, owner) => {
  expect(ownerOfSlot(name)).toEqual(owner)
})

test.each([
  ['rowtap_s_billing_all', BILLING],
  ['rowtap_s_billing_inserts', BILLING],
  ['rowtap_s_all_all', { kind: 'subscription', subscription: 'all' }],
  ['rowtap_e_0123456789abcdef_inserts', CLIENT],
  ['rowtap_s_billing', null],
  ['rowtap_e_0123456789abcdef', null],
  ['mine_all', null],
])('the publication %s', (name, owner) => {
  expect(ownerOfPublication(name)).toEqual(owner)
})

test('an owner is the same by kind and name', () => {
  expect(isSameOwner(BILLING, { kind: 'subscription', subscription: 'billing' })).toBe(true)
  expect(isSameOwner(BILLING, { kind: 'subscription', subscription: 'other' })).toBe(false)
  expect(isSameOwner(BILLING, CLIENT)).toBe(false)
  expect(isSameOwner(CLIENT, { ...CLIENT })).toBe(true)
})
