/** The words in use: Chinese, or English with `?lang=en`. Chosen once, when the page loads. */
import { en } from './en'
import { zh, type Words } from './zh'

const english = typeof location !== 'undefined' && new URLSearchParams(location.search).get('lang') === 'en'

export const words: Words = english ? en : zh
export const language = english ? 'en' : 'zh-CN'

/** A word for a key the page knows, else what the server said, else "". */
export function wordFor(table: Record<string, string>, key: string, fallback = ''): string {
  return table[key] ?? fallback
}
