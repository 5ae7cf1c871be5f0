/** Joins the wall's state with the server: figures on request, the live feed, the clock. */
import { computed, onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { coalesce } from '../core/coalesce'
import type { TickerItem } from '../core/contract'
import { fetchFigures, streamAddress, Unauthorized, whoAmI } from '../core/http'
import { readTicker } from '../core/read'
import { renew, takeKey, useKey } from '../core/session'
import { openStream, type Stream } from '../core/stream'
import { liveState, type Live } from './live'
import { initial, reduce, type Action, type WallState } from './store'

/** Figures are asked for at most twice a second: within the promised second, and gentle in a storm of reports. */
const FETCH_MS = 500
/** And at least this often: overdue counts and "today" change without any event. */
const POLL_MS = 20_000
/** While the page waits for a key it looks whether it may read by now. */
const LOCKED_MS = 30_000

export interface Cockpit {
  state: ShallowRef<WallState>
  live: Ref<Live>
  /** The server's clock in milliseconds, once a second. */
  now: Ref<number>
  /** Offers a key; throws `Unauthorized` where it is not good. */
  enter(key: string): Promise<void>
}

export function useCockpit(unit: string | null, onHazard: (item: TickerItem) => void): Cockpit {
  const state = shallowRef(initial(Date.now()))
  const here = ref(Date.now())
  const online = ref(navigator.onLine)
  let stream: Stream | null = null
  let askedAt = 0

  const dispatch = (action: Action): void => { state.value = reduce(state.value, action) }

  async function fetchNow(): Promise<void> {
    if (state.value.locked) return
    askedAt = Date.now()
    try {
      const figures = await fetchFigures(unit)
      // The clock moves on with the figures: it never stands before the instant they are of.
      here.value = Date.now()
      dispatch({ type: 'figures', figures, now: here.value })
    } catch (error) {
      if (error instanceof Unauthorized) await refused()
      else dispatch({ type: 'failed' })
    }
  }
  const figures = coalesce(fetchNow, FETCH_MS)

  async function refused(): Promise<void> {
    if (await renew(Date.now())) {
      figures.request()
      stream?.reopen()
      return
    }
    stream?.stop()
    stream = null
    dispatch({ type: 'locked' })
  }

  function begin(): void {
    stream?.stop()
    stream = openStream(streamAddress(unit), {
      open: () => { dispatch({ type: 'open' }); figures.request() },
      lost: () => dispatch({ type: 'lost', now: Date.now() }),
      changed: () => figures.request(),
      hazard: (data) => {
        const item = readTicker(data)
        dispatch({ type: 'hazard', item })
        onHazard(item)
        figures.request()
      },
    })
    figures.request()
  }

  async function enter(key: string): Promise<void> {
    await useKey(key)
    dispatch({ type: 'unlocked', now: Date.now() })
    begin()
  }

  async function start(): Promise<void> {
    const key = takeKey()
    // A key in the address that cannot be used is no reason to stop: there may be an older session, or none is needed.
    if (key !== null) await useKey(key).catch(() => undefined)
    begin()
  }

  /** An unattended wall whose session comes back (a server set right again) needs nobody to touch it. */
  async function knock(): Promise<void> {
    askedAt = Date.now()
    try {
      await whoAmI()
      dispatch({ type: 'unlocked', now: Date.now() })
      begin()
    } catch {
      // Still locked: asked again in LOCKED_MS.
    }
  }

  const tick = setInterval(() => {
    here.value = Date.now()
    const age = here.value - askedAt
    if (state.value.locked) {
      if (age >= LOCKED_MS) void knock()
    } else if (age >= POLL_MS) figures.request()
  }, 1000)

  const back = (): void => { online.value = true; stream?.reopen(); figures.request() }
  const away = (): void => { online.value = false }
  const seen = (): void => { if (document.visibilityState === 'visible') figures.request() }
  addEventListener('online', back)
  addEventListener('offline', away)
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    clearInterval(tick)
    figures.stop()
    stream?.stop()
    removeEventListener('online', back)
    removeEventListener('offline', away)
    document.removeEventListener('visibilitychange', seen)
  })

  void start()
  return {
    state,
    live: computed(() => liveState(state.value, here.value, online.value)),
    now: computed(() => here.value + state.value.skew),
    enter,
  }
}
