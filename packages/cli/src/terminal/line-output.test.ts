import { Writable } from 'node:stream'

import { describe, expect, test } from 'vitest'

import { LineOutput } from './line-output.ts'

/** A stream that takes nothing until it is told to. */
function slowStream(): { readonly stream: Writable; readonly taken: () => string; readonly take: () => void } {
  const chunks: string[] = []
  let done: (() => void) | null = null
  const stream = new Writable({
    highWaterMark: 8,
    write(chunk: Buffer, _, callback) {
      chunks.push(chunk.toString())
      done = callback
    },
  })
  return { stream, taken: () => chunks.join(''), take: () => done?.() }
}

describe('line output', () => {
  test('asks to wait while the stream is full', async () => {
    const { stream, take } = slowStream()
    const output = new LineOutput(stream)
    expect(output.write('ab')).toBeUndefined()
    const full = output.write('a longer line')
    expect(full).toBeInstanceOf(Promise)
    take()
    take()
    await full
  })

  test('flushing waits for everything that was written', async () => {
    const { stream, taken, take } = slowStream()
    const output = new LineOutput(stream)
    void output.write('one')
    let flushed = false
    const flush = output.flush().then(() => (flushed = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(flushed).toBe(false)
    take()
    take()
    await flush
    expect(taken()).toBe('one\n')
  })

  test('a reader that goes away is no failure: what follows is dropped', async () => {
    const { stream } = slowStream()
    const output = new LineOutput(stream)
    const waiting = output.write('a line too long for the stream')
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await output.closed
    await waiting
    expect(output.isClosed).toBe(true)
    expect(output.write('more')).toBeUndefined()
    await output.flush()
  })

  test('any other failure is one', async () => {
    const { stream } = slowStream()
    const output = new LineOutput(stream)
    stream.destroy(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    await expect(output.closed).rejects.toThrow('standard output cannot be written: no space left on device')
    await expect(output.flush()).rejects.toThrow('no space left on device')
  })
})
