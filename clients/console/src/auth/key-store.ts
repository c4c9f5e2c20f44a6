/** What this browser keeps between visits: a small store in IndexedDB, for things that localStorage cannot hold (keys) or should not (tokens). */
const database = 'stint';
const store = 'kept';

/** Reads what was kept under `name`; undefined when there is nothing. */
export async function kept<Value>(name: string): Promise<Value | undefined> {
  const rows = await open();
  return finished(rows.transaction(store).objectStore(store).get(name)) as Promise<Value | undefined>;
}

/** Keeps `value` under `name`; undefined removes it. */
export async function keep(name: string, value: unknown): Promise<void> {
  const rows = await open();
  const things = rows.transaction(store, 'readwrite').objectStore(store);
  await (value === undefined ? finished(things.delete(name)) : finished(things.put(value, name)));
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(store);
  return finished(request);
}

function finished<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser could not keep this.'));
  });
}
