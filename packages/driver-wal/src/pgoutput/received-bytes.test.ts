import { constants } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReceivedBytes } from './received-bytes.ts'

test('every part is the text that its bytes are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 1 }), (texts) => {
      const received = new ReceivedBytes(Buffer.from(texts.join('')))
      let at = 0
      for (const text of texts) {
        const end = at + Buffer.byteLength(text)
        expect(received.text(at, end)).toBe(text)
        at = end
      }
    }),
  )
})

test('texts of ASCII, short and long, beside one that is not', () => {
  for (const other of ['', 'é', '\u{1f40b}']) {
    const received = new ReceivedBytes(Buffer.from(`12345paid2026-01-01 00:00:00+00${other}`))
    expect(received.text(0, 5)).toBe('12345')
    expect(received.text(5, 9)).toBe('paid')
    expect(received.text(9, 31)).toBe('2026-01-01 00:00:00+00')
    expect(received.text(31, received.buffer.length)).toBe(other)
    expect(received.text(3, 3)).toBe('')
  }
})

test('short texts among more bytes than a text may have characters', () => {
  const received = new ReceivedBytes(Buffer.alloc(constants.MAX_STRING_LENGTH + 1))
  received.buffer.write('42', 7)
  expect(received.text(7, 9)).toBe('42')
  expect(received.characters).toBeNull()
})
