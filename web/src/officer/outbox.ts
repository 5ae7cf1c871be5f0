/** Sends what waits: in the order it was told, one at a time, and what each answer means. */
import type { Answer } from './api'
import type { Kept, Standing, Vault } from './vault'

/** What becomes of a report after an answer; `waiting` tries again. A 409 says that another body came under this id: only a person can tell. */
export function standing(answer: Answer): Standing {
  if (answer.status === 200 || answer.status === 202) return 'sent'
  // 401 and 403: nobody is signed in, or a page of the network's own answered. 408, 425, 429: later.
  const later = [401, 403, 408, 425, 429]
  return answer.status >= 400 && answer.status < 500 && !later.includes(answer.status) ? 'refused' : 'waiting'
}

/** Milliseconds before the next try; somebody who comes back into the signal is not waited for longer. */
export function pause(failures: number): number {
  return Math.min(60_000, 1000 * 2 ** failures)
}

export interface Round { sent: number; left: number; signedOut: boolean }

/**
 * One round over what waits. Stops at the first that gets no answer: the others would get none either.
 * Each result is written down before the next is sent, so that a closed page loses nothing; one that was sent and not
 * written down is sent again under the same id, which the server knows.
 */
export async function flush(
  vault: Vault, owner: string, send: (one: Kept) => Promise<Answer>, told: () => void = () => undefined,
): Promise<Round> {
  const waiting = (await vault.list(owner)).filter((one) => one.standing === 'waiting').reverse()
  let sent = 0
  for (const one of waiting) {
    const answer = await send(one)
    const now = standing(answer)
    if (now === 'waiting') return { sent, left: waiting.length - sent, signedOut: answer.status === 401 }
    await vault.put({ ...one, standing: now, why: now === 'refused' ? answer.detail : '' })
    told()
    sent += 1
  }
  await vault.tidy(owner)
  return { sent, left: 0, signedOut: false }
}
