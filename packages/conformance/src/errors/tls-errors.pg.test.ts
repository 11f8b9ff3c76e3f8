import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failuresOf } from './failures-of.ts'
import type { TlsServer } from './tls-server.ts'
import { startTlsServer } from './tls-server.ts'

describe('a server that speaks TLS, with a certificate of its own making', () => {
  let tls: TlsServer | null = null
  beforeAll(async () => {
    tls = await startTlsServer('localhost')
  }, 120_000)
  afterAll(() => tls?.[Symbol.asyncDispose]())

  /** A connection string to a host name with these parameters, and the host and port for messages. */
  function urlOf(host: string, parameters: Readonly<Record<string, string>>): { url: string; address: string } | null {
    if (tls === null) return null
    const url = new URL(tls.server.url)
    url.hostname = host
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return { url: url.href, address: url.host }
  }

  const NO_OPENSSL = 'openssl, which makes the certificate, is not installed'

  test('is refused with the option that names its authority', async ({ skip }) => {
    const to = urlOf('localhost', { sslmode: 'verify-full' })
    if (to === null) return skip(NO_OPENSSL)
    const { wal, trigger } = await failuresOf(to.url)
    expect(trigger).toEqual(wal)
    expect(wal).toEqual({
      code: 'ERR_CONNECTION_FAILED',
      retryable: false,
      message: `The certificate of the server at ${to.address} is not signed by a known authority (self-signed certificate): name the file with the authority’s certificate with sslrootcert=… in the connection string, or set sslmode=no-verify (encrypted, but anyone could be answering).`,
    })
  })

  test('is refused under another name than its certificate has, with the options that help', async ({ skip }) => {
    const to = urlOf('127.0.0.1', { sslmode: 'verify-full', sslrootcert: tls?.certificate ?? '' })
    if (to === null) return skip(NO_OPENSSL)
    const { wal, trigger } = await failuresOf(to.url)
    expect(trigger).toEqual(wal)
    expect(wal).toMatchObject({ code: 'ERR_CONNECTION_FAILED', retryable: false })
    expect(wal.message).toMatch(
      /^The certificate of the server at 127\.0\.0\.1:\d+ is for another host \(.*\): connect with a name that the certificate holds, or set sslmode=no-verify \(.*\)\.$/,
    )
  })

  test.for([
    ['sslrootcert', 'localhost', (certificate: string) => ({ sslmode: 'verify-full', sslrootcert: certificate })],
    ['sslmode=no-verify', '127.0.0.1', () => ({ sslmode: 'no-verify' })],
    ['sslmode=disable', '127.0.0.1', () => ({ sslmode: 'disable' })],
  ] as const)('is connected to with %s', async ([, host, parameters], { skip }) => {
    const to = urlOf(host, parameters(tls?.certificate ?? ''))
    if (to === null) return skip(NO_OPENSSL)
    const { wal, trigger } = await failuresOf(to.url, 'no_such_table')
    expect(trigger).toEqual(wal)
    expect(wal.message).toMatch(/^There is no table public\.no_such_table /)
  })
})
