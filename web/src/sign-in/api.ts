/** The calls of the sign-in page. Credentials go into bodies and cookies, never into addresses. */
const API = '/api/v1'
const TIMEOUT_MS = 20_000

/** A problem the server answered with (RFC 9457), or none where it could not be reached. */
export class Refused extends Error {
  constructor(readonly status: number, readonly detail: string, readonly need: string, readonly retryAfter: number) {
    super(detail)
  }
}

export interface Account {
  login: string
  name: string
  needed: boolean
  confirmed: boolean
  given: boolean
  recoveryCodesLeft: number
  roles: string[]
}
export interface Session { id: string; current: boolean; createdAt: string; expiresAt: string; provider: string; factor: boolean }
export interface Identity { id: string; provider: string; subject: string }
export interface Provider { id: string; label: string; unitName: string }
export interface Waiting { need: string; provider: string; providerId: string; subject: string }

type Raw = Record<string, unknown>
const obj = (v: unknown): Raw => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Raw) : {})
const str = (v: unknown): string => (typeof v === 'string' ? v : '')
const list = (v: unknown): Raw[] => (Array.isArray(v) ? v.map(obj) : [])

async function call(method: string, path: string, body?: unknown): Promise<Raw> {
  let answer: Response
  try {
    answer = await fetch(API + path, {
      method, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  } catch {
    throw new Refused(0, '', '', 0)
  }
  const said = answer.status === 204 ? {} : obj(await answer.json().catch(() => ({})))
  if (!answer.ok) throw refusal(answer.status, said, answer.headers.get('retry-after'))
  return said
}

export function refusal(status: number, said: Raw, retryAfter: string | null): Refused {
  return new Refused(status, str(said.detail), str(said.need), Number(retryAfter ?? 0) || 0)
}

/** The code that was typed, if any: an empty field is no code. */
const code = (typed: string): Raw => (typed.trim() === '' ? {} : { code: typed.trim() })

export const signIn = (login: string, password: string, typed: string): Promise<Raw> =>
  call('POST', '/session', { login, password, ...code(typed) })
export const signOut = (): Promise<Raw> => call('DELETE', '/session')
export const finish = (typed: string, link: string): Promise<Raw> =>
  call('POST', '/oidc/session', { ...code(typed), ...(link.trim() === '' ? {} : { link_code: link.trim() }) })
export const endSession = (id: string): Promise<Raw> => call('DELETE', `/sessions/${encodeURIComponent(id)}`)
export const unlink = (id: string): Promise<Raw> => call('DELETE', `/account/identities/${encodeURIComponent(id)}`)

export async function begin(provider: string, back: string): Promise<string> {
  return str((await call('POST', `/oidc/${encodeURIComponent(provider)}/begin`, { back })).location)
}

export async function beginLink(provider: string, password: string, typed: string): Promise<string> {
  return str((await call('POST', '/account/identities', { provider, password, ...code(typed) })).location)
}

export async function enrol(password: string): Promise<{ secret: string; uri: string }> {
  const said = await call('POST', '/account/second-factor', password === '' ? {} : { password })
  return { secret: str(said.secret), uri: str(said.uri) }
}

export async function confirm(typed: string): Promise<string[]> {
  const codes = (await call('POST', '/account/second-factor/confirm', code(typed))).recovery_codes
  return Array.isArray(codes) ? codes.map(str) : []
}

export async function account(): Promise<Account> {
  return readAccount(await call('GET', '/account'))
}

export function readAccount(said: Raw): Account {
  const factor = obj(said.second_factor)
  return {
    login: str(said.login), name: str(said.name), needed: factor.needed === true, confirmed: factor.confirmed === true,
    given: factor.given === true, recoveryCodesLeft: Number(factor.recovery_codes_left) || 0,
    roles: list(said.grants).map((one) => `${str(one.role_label)} · ${str(one.unit_name)}`),
  }
}

export async function providers(): Promise<Provider[]> {
  const items = list((await call('GET', '/session/providers')).items)
  return items.map((one) => ({ id: str(one.id), label: str(one.label), unitName: str(one.unit_name) }))
}

export async function waiting(): Promise<Waiting> {
  const said = await call('GET', '/oidc/waiting')
  return { need: str(said.need), provider: str(said.provider), providerId: str(said.provider_id), subject: str(said.subject) }
}

export async function sessions(): Promise<Session[]> {
  return list((await call('GET', '/sessions')).items).map((one) => ({
    id: str(one.id), current: one.current === true, createdAt: str(one.created_at), expiresAt: str(one.expires_at),
    provider: str(one.provider), factor: one.second_factor === true,
  }))
}

export async function identities(): Promise<Identity[]> {
  const items = list((await call('GET', '/account/identities')).items)
  return items.map((one) => ({ id: str(one.id), provider: str(one.provider), subject: str(one.subject) }))
}
