/*
 * Opens the officer's page without a signal. The page comes from the server where it answers in time, else as it was last time;
 * what it names (scripts, styles, and the letters it shows) never changes under its name, so what is kept serves for good.
 * Nothing under /api is ever kept or answered here: reports wait in the page's own storage, encrypted.
 */
const PAGE = '/officer.html'
const KEPT = 'campus-risk-officer-1'
const PATIENCE_MS = 3000

/** Keeps a page and everything it names; what no page names any more goes. */
async function keep(answer) {
  const cache = await caches.open(KEPT)
  const html = await answer.clone().text()
  const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1])
  for (const path of named) if (!(await cache.match(path))) await cache.add(path)
  await cache.put(PAGE, answer)
  for (const held of await cache.keys()) {
    const path = new URL(held.url).pathname
    // Letters are named by the style sheet, not by the page.
    if (path !== PAGE && !named.includes(path) && !path.endsWith('.woff2')) await cache.delete(held)
  }
}

async function page(request) {
  const cache = await caches.open(KEPT)
  const before = await cache.match(PAGE)
  try {
    const answer = await fetch(request, before ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {})
    if (!answer.ok) return before ?? answer
    await keep(answer.clone())
    return answer
  } catch (error) {
    if (before) return before
    throw error
  }
}

async function asset(request) {
  const cache = await caches.open(KEPT)
  const before = await cache.match(request)
  if (before) return before
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}

self.addEventListener('install', (event) => {
  event.waitUntil(fetch(PAGE, { cache: 'no-store' }).then(keep).then(() => self.skipWaiting()))
})
self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/api/')) return
  if (event.request.mode === 'navigate') event.respondWith(page(event.request))
  else if (url.pathname.startsWith('/assets/')) event.respondWith(asset(event.request))
})
