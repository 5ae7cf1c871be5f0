/** The calls of the officer's page. */
import type { Told } from './vault'

const API = '/api/v1'
/** A corridor's signal is slow before it is gone. */
const TIMEOUT_MS = 20_000

export interface Me { name: string; unit: string; unitName: string; demo: boolean }
export interface Suggestion { label: string; level: string; raises: boolean; confidential: boolean; unsure: boolean; similar: number }
export interface Unit { code: string; name: string }
export interface Answer { status: number; detail: string }
export interface Fate { status: string; label: string; level: string; state: string }

type Raw = Record<string, unknown>
const obj = (v: unknown): Raw => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Raw) : {})
const str = (v: unknown): string => (typeof v === 'string' ? v : '')

/** The answer with its body; status 0 where there was none. */
async function call(path: string, body?: unknown): Promise<{ status: number; said: Raw }> {
  try {
    const answer = await fetch(API + path, {
      method: body === undefined ? 'GET' : 'POST', credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return { status: answer.status, said: obj(await answer.json().catch(() => ({}))) }
  } catch {
    return { status: 0, said: {} }
  }
}

/** Who is signed in; null where nobody is. Throws where the server cannot be asked. */
export async function me(): Promise<Me | null> {
  const { status, said } = await call('/me')
  if (status === 401) return null
  if (status !== 200) throw new Error(`/me: ${status}`)
  const unit = obj(said.unit)
  return { name: str(said.name), unit: str(unit.code), unitName: str(unit.name), demo: said.demo === true }
}

/** Units somebody may report for, by page. */
export async function units(): Promise<Unit[]> {
  const found: Unit[] = []
  let cursor = ''
  do {
    const { status, said } = await call(`/units?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    if (status !== 200) throw new Error(`/units: ${status}`)
    found.push(...(Array.isArray(said.items) ? said.items : []).map(obj).map((u) => ({ code: str(u.code), name: str(u.name) })))
    cursor = str(said.next)
  } while (cursor !== '')
  return found
}

/** The same id with the same body is the same report to the server, however often it arrives. */
export async function send(id: string, told: Told): Promise<Answer> {
  const { status, said } = await call('/reports', { id, source: 'officer', ...told })
  return { status, detail: str(said.detail) }
}

export async function fate(id: string): Promise<Fate | null> {
  const { status, said } = await call(`/reports/${encodeURIComponent(id)}`)
  const hazard = obj(said.hazard)
  return status === 200
    ? { status: str(said.status), label: str(hazard.label), level: str(hazard.level), state: str(hazard.state) }
    : null
}

/** Codes of confidential subcategories and names of all: asked for once. */
let taxonomy: Promise<Map<string, { name: string; confidential: boolean }>> | null = null
async function kinds(): Promise<Map<string, { name: string; confidential: boolean }>> {
  const { status, said } = await call('/taxonomy')
  if (status !== 200) {
    taxonomy = null
    return new Map()
  }
  const items = (Array.isArray(said.items) ? said.items : []).map(obj)
  return new Map(items.map((s) => [str(s.code), { name: str(s.name), confidential: s.confidential === true }]))
}

/** What the platform thinks of a text; null without an answer. Nothing is stored by asking. */
export async function suggest(text: string): Promise<Suggestion | null> {
  const [{ status, said }, known] = await Promise.all([call('/classify', { text }), (taxonomy ??= kinds())])
  if (status !== 200) return null
  const kind = known.get(str(said.subcategory))
  return {
    label: kind?.name ?? '', level: str(said.level), raises: said.raises === true, confidential: kind?.confidential ?? false,
    unsure: said.subcategory === '9900', similar: Array.isArray(said.similar) ? said.similar.length : 0,
  }
}
