/**
 * Runs an asynchronous job on request: at once when it rested, never twice at the same time, never more often than
 * every `every` milliseconds. Requests in between become one run afterwards, so the latest state always wins.
 */
export interface Timer {
  now(): number
  set(run: () => void, ms: number): unknown
  clear(handle: unknown): void
}

export const browserTimer: Timer = {
  now: () => performance.now(),
  set: (run, ms) => setTimeout(run, ms),
  clear: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
}

export interface Coalescer {
  request(): void
  stop(): void
}

export function coalesce(job: () => Promise<void>, every: number, timer: Timer = browserTimer): Coalescer {
  let running = false
  let wanted = false
  let stopped = false
  let lastStart = -Infinity
  let handle: unknown = null

  function start(): void {
    handle = null
    wanted = false
    running = true
    lastStart = timer.now()
    // The job tells its own failures; here they only must not stop the next run.
    void job().catch(() => undefined).then(() => {
      running = false
      if (wanted && !stopped) request()
    })
  }

  function request(): void {
    if (stopped) return
    wanted = true
    if (running || handle !== null) return
    const wait = lastStart + every - timer.now()
    if (wait <= 0) start()
    else handle = timer.set(start, wait)
  }

  function stop(): void {
    stopped = true
    if (handle !== null) timer.clear(handle)
    handle = null
  }

  return { request, stop }
}
