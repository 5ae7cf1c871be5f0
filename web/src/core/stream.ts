/**
 * The live feed over server-sent events, held open for weeks.
 *
 * The browser's EventSource reconnects by itself after a broken connection, but gives up after an HTTP error, and does
 * not notice a connection that is open and dead. So: a closed source is opened anew with backoff, and one that said
 * nothing for `SILENCE_MS` is replaced.
 */
import { backoff } from './backoff'

/** The server pings every 15 s: two pings and a half missed. */
const SILENCE_MS = 40_000
/** How often silence is looked for. */
const WATCH_MS = 5000

export interface StreamEvents {
  open(): void
  lost(): void
  hazard(data: unknown): void
  changed(): void
}

export interface Stream {
  /** Opens anew at once, e.g. when the network is back. */
  reopen(): void
  stop(): void
}

export function openStream(address: string, on: StreamEvents, chance: () => number = Math.random): Stream {
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let heard = performance.now()
  let stopped = false

  function alive(): void {
    heard = performance.now()
    attempt = 0
  }

  function drop(): void {
    clearTimeout(retry)
    source?.close()
    source = null
  }

  function later(): void {
    drop()
    if (!stopped) retry = setTimeout(open, backoff(attempt++, chance()))
  }

  function open(): void {
    drop()
    if (stopped) return
    heard = performance.now()
    const fresh = new EventSource(address)
    source = fresh
    fresh.onopen = () => { alive(); on.open() }
    fresh.onmessage = alive
    fresh.onerror = () => {
      if (fresh !== source) return
      on.lost()
      if (fresh.readyState === EventSource.CLOSED) later()
    }
    fresh.addEventListener('ping', alive)
    fresh.addEventListener('hello', () => { alive(); on.changed() })
    fresh.addEventListener('figures', () => { alive(); on.changed() })
    fresh.addEventListener('hazard', (event) => {
      alive()
      const data = parse((event as MessageEvent<string>).data)
      if (data !== undefined) on.hazard(data)
    })
  }

  const watch = setInterval(() => {
    if (source !== null && performance.now() - heard > SILENCE_MS) {
      on.lost()
      open()
    }
  }, WATCH_MS)

  open()
  return {
    reopen() { attempt = 0; open() },
    stop() { stopped = true; clearInterval(watch); drop() },
  }
}

/** A line that is not JSON is skipped: the figures are fetched all the same. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
