/** How much of each list the page keeps. A wall runs for weeks: no list grows with what has happened. */
export const BOUNDS = {
  // The contract's own limits.
  urgent: 12,
  climbed: 12,
  ticker: 30,
  hours: 24,
  warnings: 8,
  forecast: 14,
  // A taxonomy has 14 categories and "other".
  categories: 40,
  // A city has some 10 districts and 16 universities; a district may have hundreds of schools.
  units: 600,
  // Four tiers exist.
  tiers: 8,
  matrix: 12,
} as const
