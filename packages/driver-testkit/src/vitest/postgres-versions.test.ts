import { afterEach, expect, test, vi } from 'vitest'
import { postgresVersions } from './postgres-versions.ts'

afterEach(() => vi.unstubAllEnvs())

test('are those of the variable, where it is set', () => {
  vi.stubEnv('ROWTAP_POSTGRES_VERSIONS', '14, 17')
  expect(postgresVersions()).toEqual([14, 17])
  vi.stubEnv('ROWTAP_POSTGRES_VERSIONS', '14,9')
  expect(() => postgresVersions()).toThrow(/"9" is none of them/u)
})

test('are the server’s own, where the environment names one server', () => {
  vi.stubEnv('ROWTAP_POSTGRES_VERSIONS', '')
  vi.stubEnv('ROWTAP_POSTGRES_URL', 'postgresql://somewhere')
  expect(postgresVersions()).toEqual([null])
})

test('are otherwise those that can be had', () => {
  vi.stubEnv('ROWTAP_POSTGRES_VERSIONS', '')
  vi.stubEnv('ROWTAP_POSTGRES_URL', '')
  vi.stubEnv('ROWTAP_POSTGRES_16_URL', 'postgresql://somewhere')
  expect(postgresVersions()).toEqual([14, 16, 18])
})
