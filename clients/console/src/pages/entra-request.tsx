import { useEffect, useState } from 'preact/hooks';
import { signApproval } from '../crypto/approval.ts';
import { readCustomers, readRoleNames, type Customer } from '../entra/customer.ts';
import { makeCredentialKey } from '../entra/credential-key.ts';
import { EntraAccessForm, type Asked } from '../entra/entra-access-form.tsx';
import {
  ExplainEntraAccessDocument,
  RequestEntraAccessDocument,
  type ApproverFragment,
  type EntraDemandsFragment,
} from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { newId } from '../new-id.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

interface Target {
  customer: Customer;
  roleName: string;
  demands: EntraDemandsFragment;
}

/** Asks for a role in a customer's Entra tenant. */
export function EntraRequestPage() {
  const { busy, problem, act } = useAction();
  const [approver, setApprover] = useState<ApproverFragment | null>(null);
  const [customers, setCustomers] = useState<Customer[]>([]);
  const [customer, setCustomer] = useState<Customer | undefined>();
  const [roleNames, setRoleNames] = useState<string[]>([]);
  const [roleName, setRoleName] = useState('');
  const [target, setTarget] = useState<Target | null>(null);
  const [waits, setWaits] = useState(false);
  const choose = async (chosen: Customer | undefined) => {
    setCustomer(chosen);
    setTarget(null);
    if (chosen !== undefined) setRoleNames(await readRoleNames(chosen.id));
  };
  useEffect(
    () =>
      act(async () => {
        const read = await readCustomers();
        setApprover(read.approver);
        setCustomers(read.customers);
        await choose(read.customers[0]);
      }),
    [],
  );
  const look = async () => {
    if (customer === undefined) return;
    const entraRole = roleName.normalize('NFC').trim();
    const { explainAccess } = await ask(ExplainEntraAccessDocument, { tenantId: customer.id, entraRole });
    if (explainAccess == null) throw new Error('This customer is not there any more. Load the page again.');
    setTarget({ customer, roleName: entraRole, demands: explainAccess });
  };
  const request = async (asked: Asked) => {
    if (approver === null || target === null) return;
    if (await requestAccess(approver, target, asked)) location.assign('/app');
    else setWaits(true);
  };
  if (waits)
    return (
      <Page title="Asked for">
        <p>
          Other people have to approve it. <a href="/app">Your sessions</a> shows it when they have.
        </p>
      </Page>
    );
  return (
    <Page title="A role in Entra">
      <Problem text={problem} />
      {approver !== null && customers.length === 0 && <p class="quiet">No customer that you reach is connected to Entra.</p>}
      {customers.length > 0 && (
        <label>
          <span>Customer</span>
          <select
            value={customer?.id}
            onChange={({ currentTarget: { value } }) => act(() => choose(customers.find(({ id }) => id === value)))}
          >
            {customers.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {customer?.entraConnection?.usable === false && <p class="problem">{customer.entraConnection.whyUnusable}</p>}
      {customer?.entraConnection?.usable === true && (
        <>
          <Field
            label="Role"
            hint="As it is named in Entra."
            list={roleNames}
            value={roleName}
            onInput={(name) => {
              setRoleName(name);
              setTarget(null);
            }}
          />
          {target === null && (
            <Button kind="quiet" busy={busy || roleName.trim() === ''} onClick={() => act(look)}>
              Go on
            </Button>
          )}
        </>
      )}
      {target?.demands.allowed === false && <p class="problem">{target.demands.why}</p>}
      {target?.demands.allowed === true && (
        <EntraAccessForm demands={target.demands} busy={busy} ask={(asked) => act(() => request(asked))} />
      )}
    </Page>
  );
}

/** Signs what was chosen, and asks for it. True: it is granted; false: it waits for other people. */
async function requestAccess(
  approver: ApproverFragment,
  { customer, roleName }: Target,
  { accountKind, seconds, reason, ticket }: Asked,
): Promise<boolean> {
  const id = newId();
  const recipientKey = await makeCredentialKey(id);
  const scope = '/';
  const content = {
    purpose: 'entra-access' as const,
    ...{ technicianId: approver.id, grantId: id, tenantId: customer.id, tenantName: customer.name },
    ...{ roleName, scope, accountKind, recipientKey, durationSeconds: seconds, reason, ticket },
  };
  const input = {
    ...{ id, tenantId: customer.id, roleName, scope, accountKind, sessionSeconds: seconds, reason, ticket, recipientKey },
    assertion: await signApproval(content, approver),
  };
  const { requestEntraAccess } = await ask(RequestEntraAccessDocument, { input });
  return expectType(requestEntraAccess, 'EntraAccessRequested').grant != null;
}
