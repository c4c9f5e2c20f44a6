import { useId, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { SignedOut, signIn } from '../auth/session.ts';

/** What is under way and what went wrong last: one at a time. */
export interface Acting {
  busy: boolean;
  problem: string | null;
  /** Runs `work`; a sign-in that has ended leads to the sign-in page and back here. */
  act(work: () => Promise<void>): void;
}

export function useAction(): Acting {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const act = (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    work()
      .catch(async (error: unknown) => {
        if (error instanceof SignedOut) await signIn(location.pathname + location.hash);
        setProblem(inWords(error));
      })
      .finally(() => setBusy(false));
  };
  return { busy, problem, act };
}

export function Problem({ text }: { text: string | null }) {
  return text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

export function Button(props: { onClick: () => void; busy?: boolean; kind?: 'main' | 'quiet' | 'danger'; children: ComponentChildren }) {
  return (
    <button type="button" class={props.kind ?? 'main'} disabled={props.busy} onClick={props.onClick}>
      {props.children}
    </button>
  );
}

export function Field(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  autocomplete?: string;
  inputMode?: 'numeric';
  /** Suggestions. */
  list?: readonly string[];
}) {
  const id = useId();
  return (
    <label>
      <span>{props.label}</span>
      <input
        value={props.value}
        autocomplete={props.autocomplete ?? 'off'}
        inputMode={props.inputMode}
        list={props.list === undefined ? undefined : id}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      {props.list !== undefined && (
        <datalist id={id}>
          {props.list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {props.hint !== undefined && <small>{props.hint}</small>}
    </label>
  );
}

function inWords(error: unknown): string {
  // What a person cancelled, or no passkey here: the browser's own words say too little.
  if (error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError'))
    return 'The passkey was not used. Try again, and unlock it with your fingerprint, face or PIN.';
  return error instanceof Error ? error.message : String(error);
}
