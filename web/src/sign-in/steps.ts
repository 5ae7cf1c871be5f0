/** What the page shows next, and how a refusal is said. Pure. */
import type { Account, Refused } from './api'
import type { Words } from './words'

export type Step = 'loading' | 'password' | 'code' | 'link' | 'enrol' | 'codes' | 'account'

/** After a sign-in: set up the second factor first, go back where one came from, or stay with one's own account. */
export function afterSignIn(own: Account, back: string | null): 'enrol' | 'leave' | 'account' {
  if (own.needed && !own.given) return 'enrol'
  return back === null ? 'account' : 'leave'
}

/** Where a provider's sign-in leads; `notice` is a key of the words. */
export function afterProvider(outcome: string): { step: 'waiting' | 'arrived' | 'account' | 'password'; notice: string } {
  if (outcome === 'code' || outcome === 'unknown') return { step: 'waiting', notice: '' }
  if (outcome === 'done') return { step: 'arrived', notice: '' }
  if (outcome === 'linked' || outcome === 'taken') return { step: 'account', notice: outcome }
  return { step: 'password', notice: outcome }
}

/**
 * A refusal as a sentence. Chinese is the server's own, which knows most; a guest reads what the kind of refusal tells,
 * and the server's words where the kind is not enough.
 */
export function sentence(refused: Refused, words: Words, chinese: boolean): string {
  if (refused.status === 0) return words.error.away
  if (chinese && refused.detail !== '') return refused.detail
  if (refused.status === 429) return words.error.wait(refused.retryAfter)
  if (refused.need === 'code') return words.error.code
  if (refused.need === 'link-code') return words.error.link
  if (refused.status === 401 || refused.status === 403) return words.error.wrong
  if (refused.status >= 500) return words.error.away
  return refused.detail || words.error.wrong
}

/** A secret as people copy it by hand: in fours. */
export function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ')
}
