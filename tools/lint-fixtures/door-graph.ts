// as: services/jit-policy/src/role/role.service.ts
// breaks: stint/door | @microsoft/microsoft-graph-client is behind the door "Microsoft Graph"
import { Client } from '@microsoft/microsoft-graph-client';

export const client = Client;
