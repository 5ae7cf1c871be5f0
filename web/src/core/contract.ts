/** What the server says: the JSON of `/api/v1/cockpit` and of the stream's `hazard` event. */

export const LEVELS = ['red', 'orange', 'yellow', 'blue'] as const
export type Level = (typeof LEVELS)[number]

export const PHASES = ['warn', 'intervene', 'review'] as const
export type Phase = (typeof PHASES)[number]

export type ByLevel = Record<Level, number>
export type ByPhase = Record<Phase, number>

export interface UnitName {
  code: string
  name: string
  tier: string
}

export interface Today {
  reports: number
  hazards: number
  attached: number
  quiet: number
  dead: number
  closed: number
  climbed: number
}

export interface MatrixCell {
  level: Level
  phase: Phase
  count: number
}

export interface Open {
  total: number
  overdue: number
  major: number
  listed: number
  by_level: ByLevel
  by_phase: ByPhase
  matrix: MatrixCell[]
}

export interface TierRow {
  tier: string
  label: string
  open: number
  by_level: ByLevel
  climbed_in: number
}

export interface HourRow {
  hour: string
  reports: number
  hazards: number
  closed: number
}

export interface CategoryRow {
  code: string
  name: string
  open: number
}

/** A confidential lane: counted, and below five not even that (`open` null). */
export interface LaneRow {
  code: string
  name: string
  open: number | null
}

export interface UnitRow {
  code: string
  name: string
  kind: string
  lon: number | null
  lat: number | null
  open: number
  by_level: ByLevel
  overdue: number
}

export interface UrgentRow {
  id: string
  unit_name: string
  label: string
  level: Level
  state: string
  tier: string
  opened_at: string
  due_at: string | null
  due_kind: string
}

export interface ClimbedRow {
  id: string
  at: string
  unit_name: string
  label: string
  level: Level
  from_tier: string
  to_tier: string
  reason: string
}

/** Rates are 0–1, null where the denominator is zero. */
export interface Rates {
  closing: number | null
  timely: number | null
  false_report: number | null
  usage: number | null
}

/** Seconds, null where nothing was measured. */
export interface Times {
  response_p50: number | null
  response_p90: number | null
  handling_p50: number | null
  handling_p90: number | null
}

/** One line of the live feed. `label` and `summary` are empty for what is never shown singly. */
export interface TickerItem {
  at: string
  kind: string
  id: string
  unit: string
  unit_name: string
  district: string
  label: string
  level: Level
  state: string
  phase: string
  tier: string
  tier_label: string
  summary: string
}

/** An early warning that is not closed. `sentence` is the platform's own, without a reporter's word. */
export interface WarningRow {
  id: string
  kind: string
  label: string
  grade: Level
  state: string
  unit_name: string
  sentence: string
  opened_at: string
}

export interface ForecastPoint {
  day: string
  index: number
  low: number
  high: number
}

/** The risk index, 0–100: now, and the next 14 days with their interval. */
export interface Forecast {
  at: string
  index: number
  points: ForecastPoint[]
}

export interface Figures {
  as_of: string
  unit: UnitName
  today: Today
  open: Open
  tiers: TierRow[]
  hours: HourRow[]
  categories: CategoryRow[]
  confidential: LaneRow[]
  units: UnitRow[]
  urgent: UrgentRow[]
  climbed: ClimbedRow[]
  rates: Rates
  times: Times
  recent: TickerItem[]
  warnings: WarningRow[]
  /** Null: not enough data. */
  forecast: Forecast | null
}
