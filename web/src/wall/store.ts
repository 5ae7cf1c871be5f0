/** The wall's state and how each thing that happens changes it. Pure: instants come in with the action. */
import { BOUNDS } from '../core/bounds'
import type { Figures, TickerItem } from '../core/contract'

/** A line of the feed as kept: `live` ones arrived while the page watched and are highlighted briefly. */
export interface TickerLine extends TickerItem {
  key: string
  live: boolean
}

export interface WallState {
  /** True while the page needs a key. */
  locked: boolean
  figures: Figures | null
  ticker: TickerLine[]
  /** Server's clock minus this machine's, milliseconds: countdowns follow the server. */
  skew: number
  /** Last good figures, milliseconds of this machine's clock; null before the first. */
  freshAt: number | null
  streamOpen: boolean
  /** Since when the stream is not open; null while it is. */
  lostAt: number | null
  /** The last try failed: something to tell while nothing was ever loaded. */
  failing: boolean
}

export type Action =
  | { type: 'figures'; figures: Figures; now: number }
  | { type: 'hazard'; item: TickerItem }
  | { type: 'open' }
  | { type: 'lost'; now: number }
  | { type: 'failed' }
  | { type: 'locked' }
  | { type: 'unlocked'; now: number }

export function initial(now: number): WallState {
  return {
    locked: false, figures: null, ticker: [], skew: 0, freshAt: null, streamOpen: false, lostAt: now, failing: false,
  }
}

/** The same event may come over the stream and in `recent`, its instant written in two ways. */
function keyOf(item: TickerItem): string {
  const at = Date.parse(item.at)
  return `${item.id}|${item.kind}|${Number.isNaN(at) ? item.at : at}`
}

function instant(item: TickerItem): number {
  return Date.parse(item.at) || 0
}

/** Puts an event on top at once; an event already there stays where it is. */
function addLive(lines: TickerLine[], item: TickerItem): TickerLine[] {
  const key = keyOf(item)
  if (lines.some((line) => line.key === key)) return lines
  return [{ ...item, key, live: true }, ...lines].slice(0, BOUNDS.ticker)
}

/** Fills in what was missed while the stream was away, newest first. */
function addRecent(lines: TickerLine[], recent: TickerItem[]): TickerLine[] {
  const known = new Set(lines.map((line) => line.key))
  const missed: TickerLine[] = []
  for (const item of recent) {
    const key = keyOf(item)
    if (known.has(key)) continue
    known.add(key)
    missed.push({ ...item, key, live: false })
  }
  if (missed.length === 0) return lines
  return [...lines, ...missed].sort((a, b) => instant(b) - instant(a)).slice(0, BOUNDS.ticker)
}

export function reduce(state: WallState, action: Action): WallState {
  switch (action.type) {
    case 'figures': {
      const { figures, now } = action
      const asOf = Date.parse(figures.as_of)
      // Another unit's feed is another feed.
      const same = state.figures === null || state.figures.unit.code === figures.unit.code
      return {
        ...state, figures, freshAt: now, failing: false, locked: false,
        skew: Number.isNaN(asOf) ? state.skew : asOf - now,
        ticker: addRecent(same ? state.ticker : [], figures.recent),
      }
    }
    case 'hazard':
      return { ...state, ticker: addLive(state.ticker, action.item) }
    case 'open':
      return { ...state, streamOpen: true, lostAt: null }
    case 'lost':
      return { ...state, streamOpen: false, lostAt: state.lostAt ?? action.now }
    case 'failed':
      return { ...state, failing: true }
    case 'locked':
      // What was on the wall is taken down: without a credential nothing may be shown.
      return { ...initial(state.lostAt ?? 0), locked: true }
    case 'unlocked':
      return initial(action.now)
  }
}
