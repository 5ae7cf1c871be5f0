/** The few calls the page makes. Same origin only; the credential is a cookie that scripts cannot read. */
import type { Figures } from './contract'
import { readFigures } from './read'

const API = '/api/v1'
/** A wall asks again anyway: an answer that takes longer than this is of no use to it. */
const TIMEOUT_MS = 8000

/** No credential, or one that is no longer good. */
export class Unauthorized extends Error {}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(API + path, {
    ...init, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (answer.status === 401) throw new Unauthorized(path)
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer
}

function query(unit: string | null): string {
  return unit === null ? '' : `?unit=${encodeURIComponent(unit)}`
}

export async function fetchFigures(unit: string | null): Promise<Figures> {
  return readFigures(await (await call(`/cockpit${query(unit)}`)).json())
}

/** Exchanges a key for a session cookie; throws `Unauthorized` where the key is not good. */
export async function openSession(key: string): Promise<void> {
  await call('/session', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key }),
  })
}

/** Resolves where the page may read; throws `Unauthorized` where it needs a key. */
export async function whoAmI(): Promise<void> {
  await call('/me')
}

export function streamAddress(unit: string | null): string {
  return `${API}/cockpit/stream${query(unit)}`
}
