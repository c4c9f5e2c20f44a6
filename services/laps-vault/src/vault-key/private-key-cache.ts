interface Entry {
  privateKey: Promise<Buffer>;
  users: number;
  /** Out of the cache: to be cleared when nobody uses it any more. */
  dropped: boolean;
}

/**
 * Private halves of vault keys in memory, unwrapped: so that a key provider is asked once a minute and not once a password. Few
 * and briefly, cleared when they go.
 */
export class PrivateKeyCache {
  readonly #most: number;
  readonly #keptMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ most = 100, keptMs = 60_000 } = {}) {
    this.#most = most;
    this.#keptMs = keptMs;
  }

  /** Runs `work` with the private half of this place, which it must not keep; `unwrap` gets it where it is not here. */
  async use<Result>(place: string, unwrap: () => Promise<Buffer>, work: (privateKey: Buffer) => Promise<Result>): Promise<Result> {
    const entry = this.#entries.get(place) ?? this.#add(place, unwrap);
    entry.users += 1;
    try {
      return await work(await entry.privateKey);
    } finally {
      entry.users -= 1;
      if (entry.dropped && entry.users === 0) clear(entry);
    }
  }

  /** Forgets everything. */
  close(): void {
    for (const place of [...this.#entries.keys()]) this.#drop(place);
  }

  #add(place: string, unwrap: () => Promise<Buffer>): Entry {
    // The one that has been here longest goes first.
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#most) this.#drop(oldest);
    const entry: Entry = { privateKey: unwrap(), users: 0, dropped: false };
    this.#entries.set(place, entry);
    const dropThis = () => {
      if (this.#entries.get(place) === entry) this.#drop(place);
    };
    entry.privateKey.catch(dropThis);
    setTimeout(dropThis, this.#keptMs).unref();
    return entry;
  }

  #drop(place: string): void {
    const entry = this.#entries.get(place);
    if (entry === undefined) return;
    this.#entries.delete(place);
    entry.dropped = true;
    if (entry.users === 0) clear(entry);
  }
}

function clear({ privateKey }: Entry): void {
  void privateKey.then(
    (bytes) => bytes.fill(0),
    () => undefined,
  );
}
