/**
 * What waits on the phone, encrypted: AES-GCM with a key that this browser made, keeps, and gives to no script (not extractable).
 * It shuts out who reads the phone's storage, not who holds the phone unlocked.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'

/** `waiting`: not sent yet; `sent`: the server has it; `refused`: the server will never take it as it is. */
export type Standing = 'waiting' | 'sent' | 'refused'

/** What a report says. The door's field names, so that it is sent as it lies here. */
export interface Told { unit: string; text: string; place?: string; occurred_at: string; minors_involved?: boolean }

export interface Kept { id: string; owner: string; at: string; standing: Standing; why: string; told: Told }

interface Sealed { id: string; owner: string; at: string; standing: Standing; iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer }

interface Stored extends DBSchema {
  keys: { key: string; value: CryptoKey }
  reports: { key: string; value: Sealed; indexes: { at: string } }
}

const NAME = 'campus-risk-officer'
const KEY = 'reports'
/** Sent ones are shown as "my reports" from this phone; what waits or was refused is never dropped. */
const SENT_KEPT = 50

export class Vault {
  private constructor(private readonly db: IDBPDatabase<Stored>, private readonly key: CryptoKey) {}

  static async open(name = NAME): Promise<Vault> {
    const db = await openDB<Stored>(name, 1, {
      upgrade(made) {
        made.createObjectStore('keys')
        made.createObjectStore('reports', { keyPath: 'id' }).createIndex('at', 'at')
      },
    })
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    // Two tabs that open at once agree on the first one's key: looked up and put in one transaction.
    const both = db.transaction('keys', 'readwrite')
    const key = (await both.store.get(KEY)) ?? made
    if (key === made) await both.store.put(made, KEY)
    await both.done
    return new Vault(db, key)
  }

  /** Resolves when it lies on the phone: only then may a page say so. */
  async put(one: Kept): Promise<void> {
    const { id, owner, at, standing } = one
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const plain = new TextEncoder().encode(JSON.stringify({ told: one.told, why: one.why }))
    const sealed = await crypto.subtle.encrypt(this.cipher(iv, id), this.key, plain)
    const writing = this.db.transaction('reports', 'readwrite', { durability: 'strict' })
    await writing.store.put({ id, owner, at, standing, iv, sealed })
    await writing.done
  }

  /** One person's, newest first. */
  async list(owner: string): Promise<Kept[]> {
    const all = (await this.db.getAllFromIndex('reports', 'at')).reverse().filter((one) => one.owner === owner)
    return Promise.all(all.map((one) => this.opened(one)))
  }

  /** How many of other people's wait on this phone: they are sent when those sign in again, and never under another name. */
  async othersWaiting(owner: string): Promise<number> {
    return (await this.db.getAll('reports')).filter((one) => one.owner !== owner && one.standing === 'waiting').length
  }

  async remove(id: string): Promise<void> {
    await this.db.delete('reports', id)
  }

  async tidy(owner: string): Promise<void> {
    const sent = (await this.list(owner)).filter((one) => one.standing === 'sent')
    await Promise.all(sent.slice(SENT_KEPT).map((one) => this.remove(one.id)))
  }

  private async opened(one: Sealed): Promise<Kept> {
    const plain = await crypto.subtle.decrypt(this.cipher(one.iv, one.id), this.key, one.sealed)
    const { told, why } = JSON.parse(new TextDecoder().decode(plain)) as { told: Told; why: string }
    return { id: one.id, owner: one.owner, at: one.at, standing: one.standing, why, told }
  }

  /** Bound to its id: one report's words cannot be put under another's. */
  private cipher(iv: Uint8Array<ArrayBuffer>, id: string): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(id) }
  }
}
