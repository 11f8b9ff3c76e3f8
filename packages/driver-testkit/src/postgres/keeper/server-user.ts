import { readFile } from 'node:fs/promises'

/** The user that PostgreSQL runs as; `null`: the one that this process runs as. */
export type ServerUser = { readonly uid: number; readonly gid: number } | null

/** PostgreSQL refuses to run as root. These users exist already; none is ever created. */
const CANDIDATES = ['postgres', '_postgres', 'nobody']

/**
 * The user to run PostgreSQL as. Only root has to change, and becomes `postgres` where there is such a user,
 * otherwise `nobody`.
 */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return null
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const candidate of CANDIDATES) {
    const entry = lines.find(([name]) => name === candidate)
    const [uid, gid] = [Number(entry?.[2]), Number(entry?.[3])]
    if (uid > 0 && gid > 0) return { uid, gid }
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as',
  )
}
