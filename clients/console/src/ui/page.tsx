import type { ComponentChildren } from 'preact';

export function Page({ title, children }: { title: string; children: ComponentChildren }) {
  document.title = `${title} · Stint`;
  return (
    <main>
      <header>
        <a href="/app" class="brand">
          Stint
        </a>
      </header>
      <h1>{title}</h1>
      {children}
    </main>
  );
}

/** Facts as a list of names and values; empty values are left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl>
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
