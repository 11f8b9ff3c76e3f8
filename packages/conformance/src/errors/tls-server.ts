import type { PostgresServer, TestDatabase } from '@rowtap/driver-testkit'
import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A server that speaks TLS, with a certificate that signs itself. */
export interface TlsServer extends AsyncDisposable {
  readonly server: PostgresServer
  /** The file of its certificate. */
  readonly certificate: string
}

/** Starts one whose certificate is for this host name. `null` where the machine has no `openssl` to make it. */
export async function startTlsServer(hostName: string): Promise<TlsServer | null> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-tls-'))
  undo.defer(() => rm(directory, { recursive: true }))
  const [certificate, key] = [join(directory, 'server.crt'), join(directory, 'server.key')]
  if (!(await makeCertificate(hostName, certificate, key))) return null
  const server = undo.use(await startPostgres({ sources: ['embedded'] }))
  await using database = await server.createDatabase()
  // The server may run as another user, who must own its key: so it writes the files itself.
  await writeFile(database, 'server.crt', await readFile(certificate, 'utf8'))
  await writeFile(database, 'server.key', await readFile(key, 'utf8'))
  await database.query('ALTER SYSTEM SET ssl = on')
  await database.query('SELECT pg_reload_conf()')
  await eventually(async () => (await database.query('SHOW ssl'))[0]?.['ssl'] === 'on', 'the server speaks TLS')
  const kept = undo.move()
  return { server, certificate, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Writes a file into the server's data directory that none but the server may read. */
async function writeFile(database: TestDatabase, name: string, content: string): Promise<void> {
  const lines = `SELECT unnest(string_to_array('${content.trim()}', E'\\n'))`
  await database.query(`COPY (${lines}) TO PROGRAM 'umask 077; cat > ${name}'`)
}

async function makeCertificate(hostName: string, certificate: string, key: string): Promise<boolean> {
  const subject = ['-subj', `/CN=${hostName}`, '-addext', `subjectAltName=DNS:${hostName}`]
  const files = ['-keyout', key, '-out', certificate]
  try {
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files])
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
