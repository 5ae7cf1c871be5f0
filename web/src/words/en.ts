/** The page in English, for guests: `?lang=en`. */
import type { Span } from '../core/time'
import type { Words } from './zh'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

export const en: Words = {
  title: 'Campus risk cockpit',
  dot: ' · ',
  live: {
    loading: 'Loading', live: 'Live', reconnecting: 'Reconnecting', offline: 'Network is down', stale: 'Out of date',
  },
  asOf: 'Data as of',
  date: (d) => `${DAYS[d.weekday] ?? ''}, ${d.year}-${String(d.month).padStart(2, '0')}-${String(d.day).padStart(2, '0')}`,
  today: {
    title: 'Today', reports: 'Reports', hazards: 'New hazards', attached: 'Attached', quiet: 'No action', closed: 'Closed',
    climbed: 'Escalated', dead: 'Unreadable',
  },
  rates: { title: 'Rates', closing: 'Closing', timely: 'In time', false_report: 'False', usage: 'Usage' },
  loop: {
    title: 'Open, by phase', open: 'open', overdue: 'Overdue', major: 'Major', listed: 'Listed',
    response: 'median', handling: 'median', review: 'and teach',
  },
  phase: { warn: 'Warn', intervene: 'Intervene', review: 'Review' },
  level: { red: 'Red', orange: 'Orange', yellow: 'Yellow', blue: 'Blue' },
  tiers: { title: 'Three tiers', aside: 'open ↑ today', climbedIn: 'climbed in', none: 'none climbed', empty: 'No tiers yet' },
  tier: { school: 'School', university: 'Univ.', district: 'District', city: 'City' },
  climbed: {
    title: 'Escalated', empty: 'Nothing escalated lately',
    reason: { level: 'by level', deadline: 'by time', instructed: 'instructed', unmanned: 'nobody on duty' },
  },
  map: {
    title: 'The city', legend: 'Weighted', none: 'none', university: 'University (shape: gravest)',
    gravest: 'Gravest now', open: 'open', overdue: 'overdue', calm: 'Nothing open anywhere',
    noMap: 'No map of this city: points only', above: 'more',
  },
  urgent: { title: 'Urgent', empty: 'No open red or orange hazard', more: (n) => `${n} more`, noDue: 'no deadline' },
  due: {
    assess: 'assess', control: 'control', first_control: 'control', rectify: 'rectify', report: 'report', review: 'review',
  },
  left: (s) => `${join(s)} left`,
  past: (s) => `${join(s)} overdue`,
  span: join,
  state: {
    reported: 'reported', assessed: 'assessed', dispatched: 'dispatched', handling: 'handling', submitted: 'submitted',
    closed: 'closed', reviewing: 'reviewing', archived: 'archived', rejected: 'rejected', merged: 'merged',
  },
  ticker: { title: 'Live', empty: 'Waiting for the first report', private: 'not shown singly' },
  kind: {
    opened: 'new', attached: 'attached', climbed: 'climbed', assess: 'assessed', reject: 'rejected', merge: 'merged',
    dispatch: 'dispatched', settle: 'settled', start: 'started', submit: 'submitted', return: 'returned', close: 'closed',
    extend: 'extended', list: 'listed', review: 'reviewed', archive: 'archived', reopen: 'reopened', instruct: 'instructed',
  },
  kindOther: 'changed',
  warnings: {
    title: 'Early warning', empty: 'No warnings', known: 'known', more: (n) => `${n} more`,
    kind: { surge: 'surge', recurrence: 'again', cluster: 'cluster', pileup: 'pile-up', weather: 'weather', forecast: 'outlook' },
  },
  forecast: { title: 'Risk outlook', aside: '14 d, 4 in 5', now: 'index', empty: 'Not enough data' },
  trend: { title: '24 h', reports: 'reports', hazards: 'hazards', closed: 'closed', hour: (h) => `${h}:00` },
  categories: { title: 'Categories', empty: 'Nothing open', rest: (n) => `${n} more`, lanes: 'Confidential', few: '<5' },
  silence: 'No report does not mean no hazard',
  loading: 'Fetching figures',
  failing: 'The server cannot be reached; trying again',
  key: {
    title: 'This display needs its key', hint: 'Keys are issued by the platform administrator.', label: 'Key',
    submit: 'Open the cockpit', signIn: 'You have an account? Sign in', bad: 'The key is not valid. Please check it.',
    broken: 'The server cannot be reached. Please try again later.',
  },
}

function join(parts: Span[]): string {
  return parts.map(([value, unit]) => `${value} ${unit === 'm' ? 'min' : unit}`).join(' ')
}
