/**
 * Reads what came over the wire into the types of `contract.ts`, field by field.
 *
 * A wall outlives several releases of the server: a field that is missing or of another type becomes 0, "", null or an
 * empty list, never an exception in a template.
 */
import { BOUNDS } from './bounds'
import {
  LEVELS, PHASES,
  type ByLevel, type CategoryRow, type LaneRow, type ClimbedRow, type Figures, type Forecast, type ForecastPoint, type HourRow, type Level, type MatrixCell, type Phase,
  type TickerItem, type TierRow, type UnitRow, type UrgentRow, type WarningRow,
} from './contract'

type Raw = Record<string, unknown>

const obj = (v: unknown): Raw => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Raw) : {})
const num = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0)
const maybe = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null)
const str = (v: unknown): string => (typeof v === 'string' ? v : typeof v === 'number' ? String(v) : '')
const rows = <T>(v: unknown, most: number, read: (raw: Raw) => T): T[] =>
  Array.isArray(v) ? v.slice(0, most).map((one) => read(obj(one))) : []

/** An unknown level is shown as the lowest, never dropped: the hazard exists all the same. */
const level = (v: unknown): Level => (LEVELS.includes(v as Level) ? (v as Level) : 'blue')
const phase = (v: unknown): Phase => (PHASES.includes(v as Phase) ? (v as Phase) : 'warn')

function byLevel(v: unknown): ByLevel {
  const o = obj(v)
  return { red: num(o.red), orange: num(o.orange), yellow: num(o.yellow), blue: num(o.blue) }
}

const tierRow = (o: Raw): TierRow => ({
  tier: str(o.tier), label: str(o.label), open: num(o.open), by_level: byLevel(o.by_level), climbed_in: num(o.climbed_in),
})
const hourRow = (o: Raw): HourRow => ({
  hour: str(o.hour), reports: num(o.reports), hazards: num(o.hazards), closed: num(o.closed),
})
const laneRow = (o: Raw): LaneRow => ({ code: str(o.code), name: str(o.name), open: maybe(o.open) })
const categoryRow = (o: Raw): CategoryRow => ({ code: str(o.code), name: str(o.name), open: num(o.open) })
const matrixCell = (o: Raw): MatrixCell => ({ level: level(o.level), phase: phase(o.phase), count: num(o.count) })
const unitRow = (o: Raw): UnitRow => ({
  code: str(o.code), name: str(o.name), kind: str(o.kind), lon: maybe(o.lon), lat: maybe(o.lat),
  open: num(o.open), by_level: byLevel(o.by_level), overdue: num(o.overdue),
})
const urgentRow = (o: Raw): UrgentRow => ({
  id: str(o.id), unit_name: str(o.unit_name), label: str(o.label), level: level(o.level), state: str(o.state),
  tier: str(o.tier), opened_at: str(o.opened_at), due_at: str(o.due_at) || null, due_kind: str(o.due_kind),
})
const climbedRow = (o: Raw): ClimbedRow => ({
  id: str(o.id), at: str(o.at), unit_name: str(o.unit_name), label: str(o.label), level: level(o.level),
  from_tier: str(o.from_tier), to_tier: str(o.to_tier), reason: str(o.reason),
})

const warningRow = (o: Raw): WarningRow => ({
  id: str(o.id), kind: str(o.kind), label: str(o.label), grade: level(o.grade), state: str(o.state), unit_name: str(o.unit_name),
  sentence: str(o.sentence), opened_at: str(o.opened_at),
})
const forecastPoint = (o: Raw): ForecastPoint => ({ day: str(o.day), index: num(o.index), low: num(o.low), high: num(o.high) })

/** A forecast without its index is none: 0 would read as "no risk". */
function readForecast(v: unknown): Forecast | null {
  const o = obj(v)
  const index = maybe(o.index)
  return index === null ? null : { at: str(o.at), index, points: rows(o.points, BOUNDS.forecast, forecastPoint) }
}

/** One `hazard` event. */
export function readTicker(v: unknown): TickerItem {
  const o = obj(v)
  return {
    at: str(o.at), kind: str(o.kind), id: str(o.id), unit: str(o.unit), unit_name: str(o.unit_name),
    district: str(o.district), label: str(o.label), level: level(o.level), state: str(o.state), phase: str(o.phase),
    tier: str(o.tier), tier_label: str(o.tier_label), summary: str(o.summary),
  }
}

/** The answer of `GET /api/v1/cockpit`. */
export function readFigures(v: unknown): Figures {
  const o = obj(v)
  const unit = obj(o.unit), today = obj(o.today), open = obj(o.open), phases = obj(open.by_phase)
  const rates = obj(o.rates), times = obj(o.times)
  return {
    as_of: str(o.as_of),
    unit: { code: str(unit.code), name: str(unit.name), tier: str(unit.tier) },
    today: {
      reports: num(today.reports), hazards: num(today.hazards), attached: num(today.attached), quiet: num(today.quiet),
      dead: num(today.dead), closed: num(today.closed), climbed: num(today.climbed),
    },
    open: {
      total: num(open.total), overdue: num(open.overdue), major: num(open.major), listed: num(open.listed),
      by_level: byLevel(open.by_level),
      by_phase: { warn: num(phases.warn), intervene: num(phases.intervene), review: num(phases.review) },
      matrix: rows(open.matrix, BOUNDS.matrix, matrixCell),
    },
    tiers: rows(o.tiers, BOUNDS.tiers, tierRow),
    hours: rows(o.hours, BOUNDS.hours, hourRow),
    categories: rows(o.categories, BOUNDS.categories, categoryRow),
    confidential: rows(o.confidential, BOUNDS.categories, laneRow),
    units: rows(o.units, BOUNDS.units, unitRow),
    urgent: rows(o.urgent, BOUNDS.urgent, urgentRow),
    climbed: rows(o.climbed, BOUNDS.climbed, climbedRow),
    rates: {
      closing: maybe(rates.closing), timely: maybe(rates.timely), false_report: maybe(rates.false_report),
      usage: maybe(rates.usage),
    },
    times: {
      response_p50: maybe(times.response_p50), response_p90: maybe(times.response_p90),
      handling_p50: maybe(times.handling_p50), handling_p90: maybe(times.handling_p90),
    },
    recent: rows(o.recent, BOUNDS.ticker, readTicker),
    warnings: rows(o.warnings, BOUNDS.warnings, warningRow),
    forecast: readForecast(o.forecast),
  }
}
