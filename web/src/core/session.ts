/**
 * The page's key: taken from the address (`#key=…`), exchanged for a session, removed from the address.
 *
 * It stays in this page's memory, never in storage: a server that forgot its sessions in a restart gets it once more
 * without anybody walking to the wall, and closing the page forgets it.
 */
import { openSession, Unauthorized } from './http'

/** A key that the server turns down is not offered again more often than this. */
const AGAIN_MS = 30_000

let kept: string | null = null
let lastTry = -Infinity

/** The key in a fragment such as `#key=abc` or `#a=1&key=abc`, or null. */
export function keyOf(fragment: string): string | null {
  const key = new URLSearchParams(fragment.replace(/^#/, '')).get('key')
  return key === null || key.trim() === '' ? null : key.trim()
}

/** Takes the key out of the address before anything else happens, so that no screenshot or history keeps it. */
export function takeKey(): string | null {
  const key = keyOf(location.hash)
  if (key !== null) history.replaceState(history.state, '', location.pathname + location.search)
  return key
}

export async function useKey(key: string): Promise<void> {
  await openSession(key)
  kept = key
}

/** After a 401: true where the key of this page opened a new session. */
export async function renew(now: number): Promise<boolean> {
  if (kept === null || now - lastTry < AGAIN_MS) return false
  lastTry = now
  try {
    await openSession(kept)
    return true
  } catch (error) {
    if (error instanceof Unauthorized) kept = null
    return false
  }
}
