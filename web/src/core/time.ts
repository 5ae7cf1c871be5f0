/** Instants and lengths of time, as the page shows them. Every function takes its `now`. */

/** The platform's days and clocks are those of the city, wherever the browser stands. */
const ZONE = 'Asia/Shanghai'

const clockFormat = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})
const partsFormat = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE, year: 'numeric', month: 'numeric', day: 'numeric', weekday: 'short', hour: '2-digit', hourCycle: 'h23',
})
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** "08:05:09" of an instant in milliseconds; "" for NaN. */
export function clock(ms: number): string {
  return Number.isFinite(ms) ? clockFormat.format(ms) : ''
}

/** "08:05". */
export function hourMinute(ms: number): string {
  return clock(ms).slice(0, 5)
}

/** "9-1": month and day in the city; "" for NaN. */
export function monthDay(ms: number): string {
  if (!Number.isFinite(ms)) return ''
  const { month, day } = cityDay(ms)
  return `${month}-${day}`
}

export interface CityDay {
  year: number
  month: number
  day: number
  /** 0 is Sunday. */
  weekday: number
  hour: number
}

/** The calendar day and hour of an instant in the city. */
export function cityDay(ms: number): CityDay {
  const part: Record<string, string> = {}
  for (const { type, value } of partsFormat.formatToParts(ms)) part[type] = value
  return {
    year: Number(part.year), month: Number(part.month), day: Number(part.day),
    weekday: WEEKDAYS.indexOf(part.weekday ?? ''), hour: Number(part.hour),
  }
}

export type Span = readonly [value: number, unit: 'd' | 'h' | 'm' | 's']

/** A length of time in its two largest units: 3 d 4 h, 2 h 5 m, 12 m 30 s, 9 s. Negative lengths count as zero. */
export function spans(seconds: number): Span[] {
  const s = Math.max(0, Math.floor(seconds))
  const d = Math.floor(s / 86_400), h = Math.floor((s % 86_400) / 3600), m = Math.floor((s % 3600) / 60)
  if (d > 0) return [[d, 'd'], [h, 'h']]
  if (h > 0) return [[h, 'h'], [m, 'm']]
  if (m > 0) return [[m, 'm'], [s % 60, 's']]
  return [[s, 's']]
}

export interface Countdown {
  past: boolean
  /** Under 15 minutes are left. */
  soon: boolean
  spans: Span[]
}

/** The red level's shortest deadline (assess, 15 min): below it a countdown is emphasised. */
const SOON_SECONDS = 15 * 60

/** How long until a deadline, or since it passed; null without a deadline. Times in milliseconds. */
export function countdown(dueAt: string | null, now: number): Countdown | null {
  const due = dueAt === null ? NaN : Date.parse(dueAt)
  if (Number.isNaN(due)) return null
  const left = Math.floor((due - now) / 1000)
  return left < 0
    ? { past: true, soon: false, spans: spans(-left) }
    : { past: false, soon: left < SOON_SECONDS, spans: spans(left) }
}
