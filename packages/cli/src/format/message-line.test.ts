import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'

import { messageJsonLine, messageLine } from './message-line.ts'

const MESSAGE = {
  prefix: 'outbox',
  content: Buffer.from('{"to": "café"}'),
  transactional: true,
  transaction: { id: '731', commitTime: new Date('2026-11-20T09:05:01.070Z') },
  id: 'm1',
  position: position('p1'),
}

test('a line of JSON holds the fields of a message in a fixed order', () => {
  expect(messageJsonLine(MESSAGE)).toBe(
    String.raw`{"id":"m1","kind":"message","prefix":"outbox","content":"{\"to\": \"café\"}","bytes":null,"transactional":true,` +
      '"position":"p1","transaction":{"id":"731","commitTime":"2026-11-20T09:05:01.070Z"}}',
  )
})

test('bytes that are no text are hexadecimal, and a message may have no transaction', () => {
  const line = messageJsonLine({
    ...MESSAGE,
    content: Buffer.from([0xff, 0]),
    transactional: false,
    transaction: null,
  })
  expect(JSON.parse(line)).toMatchObject({ content: null, bytes: '\\xff00', transactional: false, transaction: null })
})

test('a line for a person is one line, and is cut to the width of the terminal', () => {
  const plain = (text: string): string => text
  const colors = { dim: plain, bold: plain, green: plain, yellow: plain, red: plain, magenta: plain }
  const message = { ...MESSAGE, content: Buffer.from('one\ntwo\u001b'), transaction: null }
  const line = messageLine(message, { colors, columns: null, tableWidth: 8 })
  expect(line).toMatch(/^- {11} {2}message {3}outbox {4}\S+$/u)
  for (const control of ['\n', '\u001b']) expect(line).not.toContain(control)
  const narrow = messageLine(
    { ...MESSAGE, content: Buffer.from('x'.repeat(200)) },
    { colors, columns: 40, tableWidth: 8 },
  )
  expect(narrow.length).toBeLessThanOrEqual(40)
})
