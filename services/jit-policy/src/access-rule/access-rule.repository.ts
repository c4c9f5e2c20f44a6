import type { Id, PageRequest } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import type { AccessKind, AccessRule } from './access-rule.domain.ts';
import type { Hours } from './hours.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  name: string;
  effect: AccessRule['effect'];
  enabled: boolean;
  groups: Id[];
  device_tags: string[];
  kinds: AccessKind[];
  entra_roles: string[];
  max_seconds: number;
  default_seconds: number | null;
  require_reason: boolean;
  require_ticket: boolean;
  approvals: number;
  approver_group: Id | null;
  hours: Hours;
}

const names = [
  'msp_id',
  'tenant_id',
  'id',
  'name',
  'effect',
  'enabled',
  'groups',
  'device_tags',
  'kinds',
  'entra_roles',
  'max_seconds',
  'default_seconds',
  'require_reason',
  'require_ticket',
  'approvals',
  'approver_group',
  'hours',
] as const satisfies readonly (keyof Row)[];
const columns = names.join(', ');

/** Access rules. */
export class AccessRuleRepository {
  /** Adds the rule; false when its id is taken. */
  async insert(tx: Tx, rule: AccessRule): Promise<boolean> {
    const rows = await tx.query(
      `insert into access_rule (${columns}) values (${names.map((_, index) => `$${index + 1}`).join(', ')}) on conflict do nothing returning id`,
      valuesOf(rule),
    );
    return rows.length === 1;
  }

  async save(tx: Tx, rule: AccessRule): Promise<void> {
    await tx.query(
      `update access_rule set ${names
        .slice(3)
        .map((name, index) => `${name} = $${index + 4}`)
        .join(', ')} where msp_id = $1 and tenant_id = $2 and id = $3`,
      valuesOf(rule),
    );
  }

  async remove(tx: Tx, rule: AccessRule): Promise<void> {
    await tx.query('delete from access_rule where msp_id = $1 and id = $2', [rule.mspId, rule.id]);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<AccessRule | null> {
    const [row] = await tx.query<Row>(`select ${columns} from access_rule where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asRule(row);
  }

  /** The same, locked until the transaction ends; only a rule of the scope's own tenant. */
  async findLocked(tx: Tx, mspId: Id, id: Id): Promise<AccessRule | null> {
    const [row] = await tx.query<Row>(`select ${columns} from access_rule where msp_id = $1 and id = $2 for update`, [mspId, id]);
    return row === undefined ? null : asRule(row);
  }

  /** Rules set on any of the tenants of `path`; the tenant to which it leads must be visible in the scope. */
  async ofPath(tx: Tx, mspId: Id, path: readonly Id[]): Promise<AccessRule[]> {
    return (await tx.query<Row>(`select ${columns} from access_rule where msp_id = $1 and tenant_id = any($2)`, [mspId, path])).map(asRule);
  }

  async count(tx: Tx, mspId: Id, tenantId: Id): Promise<number> {
    const [row] = await tx.query<{ count: number }>('select count(*)::int as count from access_rule where msp_id = $1 and tenant_id = $2', [
      mspId,
      tenantId,
    ]);
    return row?.count ?? 0;
  }

  /** For each tenant the rules set there, oldest first, with one surplus row where there are more. */
  async pages(tx: Tx, mspId: Id, tenantIds: readonly Id[], page: PageRequest): Promise<Map<Id, AccessRule[]>> {
    const rows = await tx.query<Row>(
      `select ${names.map((name) => `r.${name}`).join(', ')} from unnest($2::uuid[]) as o(id)
       cross join lateral (
         select ${columns} from access_rule where msp_id = $1 and tenant_id = o.id and ($3::uuid is null or id > $3) order by id limit $4) r
       order by o.id, r.id`,
      [mspId, tenantIds, page.after, page.first + 1],
    );
    const pages = new Map<Id, AccessRule[]>(tenantIds.map((id) => [id, []]));
    for (const row of rows) pages.get(row.tenant_id)?.push(asRule(row));
    return pages;
  }

  /** Those of the groups that are visible in the scope. */
  async knownGroups(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>('select id from technician_group where msp_id = $1 and id = any($2)', [mspId, ids]);
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Holds the MSP's rules until the transaction ends. Who decides holds them together with others, who changes them holds
   * them alone: so every decision by the old rules is committed, and seen by the re-check, before the new ones stand.
   */
  async hold(tx: Tx, mspId: Id, how: 'to decide' | 'to change'): Promise<void> {
    const lock = how === 'to decide' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
    await tx.query(`select ${lock}(hashtextextended('access rules ' || $1::text, 0))`, [mspId]);
  }
}

function valuesOf(rule: AccessRule): unknown[] {
  const row: Row = {
    msp_id: rule.mspId,
    tenant_id: rule.tenantId,
    id: rule.id,
    name: rule.name,
    effect: rule.effect,
    enabled: rule.enabled,
    groups: rule.groups,
    device_tags: rule.deviceTags,
    kinds: rule.kinds,
    entra_roles: rule.entraRoles,
    max_seconds: rule.maxSeconds,
    default_seconds: rule.defaultSeconds,
    require_reason: rule.requireReason,
    require_ticket: rule.requireTicket,
    approvals: rule.approvals,
    approver_group: rule.approverGroup,
    hours: rule.hours,
  };
  return names.map((name) => (name === 'hours' ? JSON.stringify(row.hours) : row[name]));
}

function asRule(row: Row): AccessRule {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    name: row.name,
    effect: row.effect,
    enabled: row.enabled,
    groups: row.groups,
    deviceTags: row.device_tags,
    kinds: row.kinds,
    entraRoles: row.entra_roles,
    maxSeconds: row.max_seconds,
    defaultSeconds: row.default_seconds,
    requireReason: row.require_reason,
    requireTicket: row.require_ticket,
    approvals: row.approvals,
    approverGroup: row.approver_group,
    hours: row.hours,
  };
}
