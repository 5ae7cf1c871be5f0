/** Where somebody goes after signing in: a path of this site, never another one. The server holds the same rule. */
const MOST = 512

export function safeBack(path: string | null): string | null {
  if (path === null || path.length > MOST || !path.startsWith('/') || path.startsWith('//')) return null
  // A browser takes `\` for `/`, and drops tabs and line ends before it reads an address.
  if (/[\\\u0000-\u0020\u007f]/.test(path)) return null
  return path
}

/** The way back in this page's own address (`?back=/desk.html`), or null. This page itself is no way back. */
export function backOf(search: string): string | null {
  const path = safeBack(new URLSearchParams(search).get('back'))
  return path === null || path === '/sign-in.html' || path.startsWith('/sign-in.html?') ? null : path
}

/** What a provider's sign-in came to (`#oidc=done`), or null. */
export function outcomeOf(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('oidc')
}
