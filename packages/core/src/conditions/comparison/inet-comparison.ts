import { RowtapError } from '../../rowtap-error.ts'
import type { Comparison } from './comparison.ts'
import { keyComparison } from './comparison.ts'

/** inet and cidr: IPv4 before IPv6, then the bits that both networks have, then the length of the network, then all bits. */
export const inetComparison: Comparison = keyComparison(withoutFullLength, (constant) => {
  const right = addressOf(constant)
  return (text) => compareAddresses(addressOf(text), right)
})

interface Address {
  /** How many bits it has: 32 or 128. */
  readonly size: number
  /** How many of them are the network's. */
  readonly length: number
  readonly bits: bigint
}

/** cidr prints the length of a network of one address, inet does not. */
function withoutFullLength(text: string): string {
  const full = text.includes(':') ? '/128' : '/32'
  return text.endsWith(full) ? text.slice(0, -full.length) : text
}

function compareAddresses(left: Address, right: Address): number {
  if (left.size !== right.size) return left.size - right.size
  const outside = BigInt(left.size - Math.min(left.length, right.length))
  return sign(left.bits >> outside, right.bits >> outside) || left.length - right.length || sign(left.bits, right.bits)
}

function sign(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function addressOf(text: string): Address {
  const [address = '', length] = text.split('/')
  const size = address.includes(':') ? 128 : 32
  const bits = size === 32 ? joined(address.split('.'), 10, 8n) : joined(groupsOf(address), 16, 16n)
  if (bits === null)
    throw new RowtapError('ERR_DECODE', { message: `${JSON.stringify(text)} is not a network address.` })
  return { size, length: length === undefined ? size : Number(length), bits }
}

/** The eight groups of an IPv6 address, `::` and an IPv4 address at its end written out. */
function groupsOf(address: string): readonly string[] {
  const four = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/u.exec(address)
  const hexadecimal = four === null ? address : `${four[1] ?? ''}${pair(four[2], four[3])}:${pair(four[4], four[5])}`
  const [before = '', after] = hexadecimal.split('::')
  const head = before === '' ? [] : before.split(':')
  if (after === undefined) return head
  const tail = after === '' ? [] : after.split(':')
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail]
}

function pair(high = '0', low = '0'): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}

function joined(parts: readonly string[], radix: number, width: bigint): bigint | null {
  if (parts.length !== (radix === 10 ? 4 : 8)) return null
  let bits = 0n
  for (const part of parts) {
    const number = Number.parseInt(part, radix)
    if (Number.isNaN(number)) return null
    bits = (bits << width) | BigInt(number)
  }
  return bits
}
