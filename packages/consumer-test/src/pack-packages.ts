import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runOrThrow } from './run.ts'

/** A package of the workspace as it would be published. */
export interface PackedPackage {
  readonly name: string
  readonly tarball: string
  /** Paths in the tarball, without the leading `package/`. */
  readonly files: readonly string[]
}

/** Packs every package of the workspace that is not private into `destination`. They have to be built. */
export async function packPackages(workspace: string, destination: string): Promise<readonly PackedPackage[]> {
  const names = await readdir(join(workspace, 'packages'))
  const folders = names.map((name) => join(workspace, 'packages', name))
  const packed = await Promise.all(folders.map((folder) => packPackage(folder, destination)))
  return packed.filter((one) => one !== null)
}

async function packPackage(folder: string, destination: string): Promise<PackedPackage | null> {
  const manifest = parseManifest(await readFile(join(folder, 'package.json'), 'utf8'))
  if (manifest.private) return null
  const output = await runOrThrow(packageManager(), ['pack', '--json', '--pack-destination', destination], {
    cwd: folder,
  })
  const { filename, files } = parsePacked(output)
  return { name: manifest.name, tarball: filename, files }
}

/** The pnpm that runs the tests, which need not be on the PATH; without one, that of the PATH. */
function packageManager(): string {
  const path = process.env['npm_execpath'] ?? ''
  return basename(path).startsWith('pnpm') ? path : 'pnpm'
}

function parseManifest(text: string): { readonly name: string; readonly private: boolean } {
  const manifest: unknown = JSON.parse(text)
  if (typeof manifest !== 'object' || manifest === null || !('name' in manifest))
    throw new Error('a package has no name')
  return { name: String(manifest.name), private: 'private' in manifest && manifest.private === true }
}

function parsePacked(text: string): { readonly filename: string; readonly files: readonly string[] } {
  const packed = JSON.parse(text) as { readonly filename: string; readonly files: readonly { readonly path: string }[] }
  return { filename: packed.filename, files: packed.files.map((file) => file.path) }
}
